#include "campaign/train_command.hpp"

#include "campaign/trainer_labels.hpp"
#include "campaign/trainer_process.hpp"
#include "comm/cores.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "labels/training_set_builder.hpp"
#include "model/model_file.hpp"
#include "oracle/scratch.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <map>
#include <span>
#include <string_view>

namespace sluice::campaign {
namespace {

using model::Committee;
using model::TrainingSet;

// Beside the predictions' own name, as they may be too large for a scratch directory.
std::string new_predictions(const std::string& path) {
    return path.empty() ? "" : path + ".new";
}

void remove_if_there(const std::string& path) {
    if (path.empty() || ::unlink(path.c_str()) == 0 || errno == ENOENT) return;
    throw system_error(path, "cannot remove", errno);
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
    Trainer(const TrainCommandRequest& request, int num_threads, TrainCommandReport& report)
        : request_(request),
          num_threads_(num_threads),
          report_(report),
          scratch_("", 0),
          directory_(scratch_.create()) {}

    void run() {
        read_labels();
        remove_if_there(new_predictions(request_.predictions_path));
        report_.seconds =
            run_trainer(request_.command, trainer_words(request_.command.command, placeholders()),
                        num_threads_);
        if (!request_.model_path.empty()) check_model();
        if (!request_.predictions_path.empty()) {
            const std::string path = new_predictions(request_.predictions_path);
            require(queue::exists(path), ExitCode::bad_data,
                    path +
                        ": the training command ended without making it; let it write the "
                        "predictions there" +
                        log_hint());
        }
    }

  private:
    std::string labels_path() const { return queue::join(directory_, "labels.h5"); }
    std::string model_path() const { return queue::join(directory_, "model.h5"); }

    std::string log_hint() const {
        const std::string& log = request_.command.log_path;
        return log.empty() ? "" : "; see " + printable(log);
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
        if (!request_.predictions_path.empty())
            values["predictions"] = {new_predictions(request_.predictions_path)};
        if (request_.pool != nullptr) values["pool"] = request_.pool->source.files;
        return values;
    }

    // The scratch directory's name would tell nobody anything.
    Committee read_model() const {
        const std::string path = model_path();
        try {
            Committee committee = model::read_model(path);
            model::run_network(committee, kernels::Backend::cpu, path);
            return committee;
        } catch (const Error& error) {
            const std::string_view what(error.what());
            const bool names_path = what.starts_with(path);
            throw Error(
                ExitCode::bad_data,
                "{model}" + std::string(what.substr(names_path ? path.size() : 0)) + log_hint());
        }
    }

    void check_model() {
        require(queue::exists(model_path()), ExitCode::bad_data,
                "{model}: the training command ended without making it; let it write the model "
                "there" +
                    log_hint());
        Committee committee = read_model();
        require_fit(committee.task == set_.task, "task", std::string(task_name(committee.task)),
                    std::string(task_name(set_.task)));
        require_fit(committee.dim == set_.dim, "dim", std::to_string(committee.dim),
                    std::to_string(set_.dim));
        const bool more_are_possible =
            set_.task == model::Task::classification && request_.num_classes == 0;
        require_fit(more_are_possible ? committee.outputs >= set_.outputs
                                      : committee.outputs == set_.outputs,
                    "outputs", std::to_string(committee.outputs), std::to_string(set_.outputs));
        report_.model_hash = model::model_hash(committee);
        report_.committee = std::move(committee);
    }

    void require_fit(bool fits, const std::string& what, const std::string& found,
                     const std::string& wanted) const {
        require(fits, ExitCode::bad_data,
                "{model}: " + what + " of the model that the training command made is " + found +
                    ", that of the labels " + wanted + "; correct the command" + log_hint());
    }

    const TrainCommandRequest& request_;
    int num_threads_;
    TrainCommandReport& report_;
    oracle::Scratch scratch_;
    std::string directory_;
    TrainingSet set_;
};

// The predictions as a pool; they must be of this pool's rows. \collective
void check_predictions(const TrainCommandRequest& request, TrainCommandReport& report,
                       comm::Communicator& world) {
    pool::PoolSource source;
    source.files = {new_predictions(request.predictions_path)};
    const pool::Pool predictions = pool::open_pool(source, world);
    for (const char* role : {"probabilities", "committee", "predictions"}) {
        if (predictions.find(role) != nullptr) report.predicted.emplace_back(role);
    }
    report.predicted_rows = predictions.num_rows;
    world.agree([&] {
        require(!report.predicted.empty(), ExitCode::bad_data,
                source.files[0] +
                    ": has none of the datasets probabilities, committee and "
                    "predictions; let the training command write one of them");
        require(predictions.num_rows == request.pool->num_rows, ExitCode::bad_data,
                fmt::format("{}: has {} rows, the pool has {}; let the training command predict "
                            "every row of the pool",
                            source.files[0], predictions.num_rows, request.pool->num_rows));
    });
}

void publish(const TrainCommandRequest& request, const TrainCommandReport& report) {
    if (report.committee) model::publish_model(request.model_path, *report.committee);
    if (request.predictions_path.empty()) return;
    sync_path(new_predictions(request.predictions_path));
    rename_durably(new_predictions(request.predictions_path), request.predictions_path);
}

}  // namespace

TrainCommandReport run_train_command(const TrainCommandRequest& request,
                                     comm::Communicator& world) {
    TrainCommandReport report;
    const int num_threads = comm::cores_of_this_rank(world);
    world.agree([&] {
        check_request(request);
        if (world.is_root()) Trainer(request, num_threads, report).run();
    });
    if (!request.predictions_path.empty()) check_predictions(request, report, world);
    world.agree([&] {
        if (world.is_root()) publish(request, report);
    });
    return report;
}

}  // namespace sluice::campaign
