#include "campaign/train_command.hpp"

#include "campaign/pool_predictions.hpp"
#include "campaign/trainer_labels.hpp"
#include "campaign/trainer_process.hpp"
#include "comm/cores.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/temporary_name.hpp"
#include "core/text.hpp"
#include "labels/training_set_builder.hpp"
#include "model/model_file.hpp"
#include "oracle/scratch.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>
#include <span>

namespace sluice::campaign {
namespace {

using model::Committee;
using model::TrainingSet;

std::string directory_of(const std::string& path) {
    const std::string directory = std::filesystem::path(path).parent_path().string();
    return directory.empty() ? "." : directory;
}

// Where predictions lie until they are found right: in the directory of their own name, as they may
// be too large for a scratch directory. Gone with this object if they do not become that.
class NewPredictions {
  public:
    explicit NewPredictions(const std::string& target) : target_(target) {
        if (target.empty()) return;
        remove_temporaries(directory_of(target));
        path_ = queue::join(directory_of(target), temporary_name());
    }
    ~NewPredictions() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    NewPredictions(const NewPredictions&) = delete;
    NewPredictions& operator=(const NewPredictions&) = delete;

    const std::string& path() const { return path_; }

    void publish() const {
        if (path_.empty()) return;
        sync_path(path_);
        rename_durably(path_, target_);
    }

  private:
    std::string target_;
    std::string path_;
};

std::string log_hint(const TrainCommand& command) {
    return command.log_path.empty() ? "" : "; see " + printable(command.log_path);
}

// A message that names what the command was told to write by its placeholder: the name of a
// temporary would tell nobody anything.
std::string told(const TrainCommand& command, const std::string& what, const std::string& path,
                 const std::string& placeholder) {
    const std::string name = "{" + placeholder + "}";
    const std::size_t named = what.find(path);
    if (named == std::string::npos) return name + ": " + what + log_hint(command);
    return what.substr(0, named) + name + what.substr(named + path.size()) + log_hint(command);
}

void check_request(const TrainCommandRequest& request) {
    const std::string& command = request.command.command;
    const auto check = [&](const std::string& path, const std::string& name,
                           const std::string& how) {
        const bool named = names_placeholder(command, name);
        require(path.empty() || named, ExitCode::usage,
                "--train-command: does not say {" + name +
                    "}; add it where the command takes "
                    "the file that it has to write");
        require(!path.empty() || !named, ExitCode::usage,
                "--train-command: says {" + name + "}; " + how);
    };
    check(request.model_path, "model", "give --out FILE");
    check(request.predictions_path, "predictions", "give --predictions FILE");
    require(!request.model_path.empty() || !request.predictions_path.empty(), ExitCode::usage,
            "--train-command: needs {model} or {predictions}; say what it writes");
    require(request.predictions_path.empty() || request.pool != nullptr, ExitCode::usage,
            "--predictions FILE: needs --pool FILE...; name the pool that is predicted");
    require(!names_placeholder(command, "pool") || request.pool != nullptr, ExitCode::usage,
            "--train-command: says {pool}; give --pool FILE...");
}

// One run of the command, on rank 0.
class Trainer {
  public:
    Trainer(const TrainCommandRequest& request, const std::string& predictions_path,
            TrainCommandReport& report)
        : request_(request),
          predictions_path_(predictions_path),
          report_(report),
          scratch_("", 0),
          directory_(scratch_.create()) {}

    void run(int num_threads) {
        read_labels();
        report_.seconds = run_trainer(
            request_.command, trainer_words(request_.command.command, placeholders()), num_threads);
        if (!request_.model_path.empty()) check_model();
        if (!predictions_path_.empty()) require_made(predictions_path_, "predictions");
    }

    LabelShape label_shape() const {
        const bool is_least = set_.task == model::Task::classification && request_.num_classes == 0;
        return {set_.task, set_.outputs, is_least};
    }

  private:
    std::string labels_path() const { return queue::join(directory_, "labels.h5"); }
    std::string model_path() const { return queue::join(directory_, "model.h5"); }

    void require_made(const std::string& path, const std::string& placeholder) const {
        require(queue::exists(path), ExitCode::bad_data,
                "{" + placeholder +
                    "}: the training command ended without making it; let it write there" +
                    log_hint(request_.command));
    }

    void read_labels() {
        labels::TrainingSetBuilder builder(request_.pool, request_.num_classes,
                                           labels::TrainingSetBuilder::Extent::items);
        builder.read(request_.labels);
        set_ = std::move(builder.set());
        require(set_.size() > 0, ExitCode::bad_data,
                set_.source + ": has no labels (0); label some rows first");
        const std::vector<std::byte> image = trainer_labels_image(set_, builder.items());
        create_text_file(labels_path(), {reinterpret_cast<const char*>(image.data()), image.size()},
                         SyncTime::later);
        report_.num_labels = set_.size();
    }

    std::map<std::string, std::vector<std::string>> placeholders() const {
        std::map<std::string, std::vector<std::string>> values;
        values["labels"] = {labels_path()};
        values["model"] = {model_path()};
        values["seed"] = {std::to_string(request_.command.seed)};
        values["round"] = {std::to_string(request_.command.round)};
        if (!predictions_path_.empty()) values["predictions"] = {predictions_path_};
        if (request_.pool != nullptr) values["pool"] = request_.pool->source.files;
        return values;
    }

    Committee read_model() const {
        const std::string path = model_path();
        try {
            Committee committee = model::read_model(path);
            model::run_network(committee, kernels::Backend::cpu, path);
            return committee;
        } catch (const Error& error) {
            throw Error(ExitCode::bad_data, told(request_.command, error.what(), path, "model"));
        }
    }

    void check_model() {
        require_made(model_path(), "model");
        Committee committee = read_model();
        require_fit(committee.task == set_.task, "task", std::string(task_name(committee.task)),
                    std::string(task_name(set_.task)));
        require_fit(committee.dim == set_.dim, "dim", std::to_string(committee.dim),
                    std::to_string(set_.dim));
        require_fit(label_shape().is_least ? committee.outputs >= set_.outputs
                                           : committee.outputs == set_.outputs,
                    "outputs", std::to_string(committee.outputs), std::to_string(set_.outputs));
        report_.model_hash = model::model_hash(committee);
        report_.committee = std::move(committee);
    }

    void require_fit(bool fits, const std::string& what, const std::string& found,
                     const std::string& wanted) const {
        require(fits, ExitCode::bad_data,
                "{model}: " + what + " of the model that the training command made is " + found +
                    ", that of the labels " + wanted + "; correct the command" +
                    log_hint(request_.command));
    }

    const TrainCommandRequest& request_;
    const std::string& predictions_path_;
    TrainCommandReport& report_;
    oracle::Scratch scratch_;
    std::string directory_;
    TrainingSet set_;
};

// What the command says of every row, checked. Only rank 0 knows the labels. \collective
void check_predictions(const TrainCommandRequest& request, const std::string& path,
                       const LabelShape& labels, TrainCommandReport& report,
                       comm::Communicator& world) {
    try {
        const pool::Pool predictions = open_predictions(path, request.pool->num_rows, world);
        world.agree([&] {
            if (world.is_root()) require_fit(predictions, labels);
        });
        require_good_values(predictions, request.bad_rows, world);
        for (const auto& [role, dataset] : predictions.datasets)
            report.predicted.push_back(role);
        report.predicted_rows = predictions.num_rows;
    } catch (const Error& error) {
        throw comm::AgreedError(error.code(),
                                told(request.command, error.what(), path, "predictions"));
    }
}

}  // namespace

TrainCommandReport run_train_command(const TrainCommandRequest& request,
                                     comm::Communicator& world) {
    TrainCommandReport report;
    LabelShape labels;
    std::optional<NewPredictions> predictions;
    std::string path;
    const int num_threads = comm::cores_of_this_rank(world);
    world.agree([&] {
        check_request(request);
        if (!world.is_root()) return;
        predictions.emplace(request.predictions_path);
        path = predictions->path();
        Trainer trainer(request, path, report);
        trainer.run(num_threads);
        labels = trainer.label_shape();
    });
    world.broadcast(path);
    if (!path.empty()) check_predictions(request, path, labels, report, world);
    world.agree([&] {
        if (!world.is_root()) return;
        if (report.committee) model::publish_model(request.model_path, *report.committee);
        predictions->publish();
    });
    return report;
}

}  // namespace sluice::campaign
