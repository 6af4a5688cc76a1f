#include "campaign/train_command.hpp"
#include "campaign/train_model.hpp"
#include "core/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sluice::campaign {
namespace {

using model::Committee;
using model::MemberHistory;
using Json = nlohmann::ordered_json;

constexpr std::size_t hash_digits_shown = 16;

std::string count_of(std::int64_t count, const char* one, const char* many) {
    return count_text(count) + " " + (count == 1 ? one : many);
}

// JSON has no NaN and no infinity.
Json number_or_null(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}

double kept_loss(const std::vector<float>& losses, const MemberHistory& history) {
    const auto epoch = static_cast<std::size_t>(history.best_epoch);
    return epoch < losses.size() ? static_cast<double>(losses[epoch]) : std::nan("");
}

// The mean over nets of the loss at the epoch that was kept.
double mean_loss(const Committee& committee, std::vector<float> MemberHistory::*losses) {
    double sum = 0.0;
    for (const MemberHistory& history : committee.history)
        sum += kept_loss(history.*losses, history);
    return sum / static_cast<double>(committee.history.size());
}

std::string epochs_text(const Committee& committee) {
    const auto epochs = [](const MemberHistory& history) {
        return std::ssize(history.training_loss);
    };
    const auto [fewest, most] = std::ranges::minmax_element(committee.history, {}, epochs);
    if (epochs(*fewest) == epochs(*most)) return count_of(epochs(*most), "epoch", "epochs");
    return fmt::format("{} to {} epochs", count_text(epochs(*fewest)), count_text(epochs(*most)));
}

std::string target_name(const Committee& committee, std::size_t t) {
    const std::string name = t < committee.target_names.size()
                                 ? printable(committee.target_names[t])
                                 : fmt::format("y{}", t + 1);
    const std::string unit = t < committee.target_units.size() && !committee.target_units[t].empty()
                                 ? " " + printable(committee.target_units[t])
                                 : "";
    return name + unit;
}

std::string held_out_line(const TrainReport& report) {
    const model::HeldOutQuality& quality = report.quality;
    if (quality.rows == 0) return "held out     none\n";
    std::string text = fmt::format("held out     {}: ", count_of(quality.rows, "label", "labels"));
    if (report.committee.task == model::Task::classification) {
        text += fmt::format("accuracy {:.1f}%", 100.0 * quality.accuracy);
    } else {
        for (std::size_t t = 0; t < quality.mean_errors.size(); ++t) {
            text += fmt::format("{}root mean square error {:.4g} of {}", t > 0 ? ", " : "",
                                quality.mean_errors[t], target_name(report.committee, t));
        }
    }
    return text + fmt::format(", loss {:.4g}\n",
                              mean_loss(report.committee, &MemberHistory::validation_loss));
}

std::string calibration_line(const Committee& committee) {
    if (committee.calibration.rows == 0) return {};
    return fmt::format("calibration  temperature {:.4g}, error {:.4f} before, {:.4f} after\n",
                       committee.temperature, committee.calibration.error_before,
                       committee.calibration.error);
}

Json history_json(const MemberHistory& history) {
    Json json;
    json["epochs"] = history.training_loss.size();
    json["best_epoch"] = history.best_epoch;
    json["training_loss"] = number_or_null(kept_loss(history.training_loss, history));
    json["validation_loss"] = number_or_null(kept_loss(history.validation_loss, history));
    return json;
}

}  // namespace

std::string train_text(const TrainReport& report) {
    const Committee& committee = report.committee;
    const bool classifies = committee.task == model::Task::classification;
    std::string text = fmt::format("trained {} on {}: {}, {}, {}\n",
                                   count_of(std::ssize(committee.networks), "net", "nets"),
                                   count_of(report.num_labels, "label", "labels"), report.head,
                                   classifies ? count_of(committee.outputs, "class", "classes")
                                              : count_of(committee.outputs, "target", "targets"),
                                   count_of(committee.dim, "feature", "features"));
    text += fmt::format("training     {}, loss {:.4g}\n", epochs_text(committee),
                        mean_loss(committee, &MemberHistory::training_loss));
    text += held_out_line(report) + calibration_line(committee);
    if (committee.dropout) {
        text += fmt::format("members      {}: {} of each net, rate {:g}\n",
                            count_text(committee.num_members()),
                            count_of(committee.dropout->masks, "dropout mask", "dropout masks"),
                            committee.dropout->rate);
    }
    if (committee.loss_head) {
        text += fmt::format("loss head    {} on the losses of {} folds\n",
                            count_of(std::ssize(committee.loss_head->networks), "net", "nets"),
                            count_text(committee.loss_folds));
    }
    return text + fmt::format("model        {} ({})\n{:.2f} s\n", printable(report.model_path),
                              report.model_hash.substr(0, hash_digits_shown), report.seconds);
}

std::string train_json(const TrainReport& report) {
    const Committee& committee = report.committee;
    Json json;
    json["model"] = report.model_path;
    json["model_hash"] = report.model_hash;
    json["task"] = model::task_name(committee.task);
    json["labels"] = report.num_labels;
    json["dim"] = committee.dim;
    json["outputs"] = committee.outputs;
    json["members"] = committee.num_members();
    json["held_out"] = report.quality.rows;
    if (report.quality.rows > 0 && committee.task == model::Task::classification)
        json["accuracy"] = report.quality.accuracy;
    if (report.quality.rows > 0 && committee.task == model::Task::regression)
        json["root_mean_square_errors"] = report.quality.mean_errors;
    json["temperature"] = committee.temperature;
    if (committee.calibration.rows > 0) {
        json["calibration_error_before"] = committee.calibration.error_before;
        json["calibration_error"] = committee.calibration.error;
    }
    if (committee.loss_head) json["loss_folds"] = committee.loss_folds;
    for (const MemberHistory& history : committee.history)
        json["nets"].push_back(history_json(history));
    json["provenance"] = Json::parse(committee.provenance, nullptr, false);
    json["seconds"] = report.seconds;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string curve_csv(const Committee& committee) {
    std::string text = "member,epoch,training_loss,validation_loss,kept\n";
    for (std::size_t n = 0; n < committee.history.size(); ++n) {
        const MemberHistory& history = committee.history[n];
        for (std::size_t epoch = 0; epoch < history.training_loss.size(); ++epoch) {
            const std::string held_out = epoch < history.validation_loss.size()
                                             ? number_text(history.validation_loss[epoch])
                                             : "";
            text += fmt::format("{},{},{},{},{}\n", n, epoch,
                                number_text(history.training_loss[epoch]), held_out,
                                static_cast<std::int64_t>(epoch) == history.best_epoch ? 1 : 0);
        }
    }
    return text;
}

std::string train_command_text(const TrainCommandRequest& request,
                               const TrainCommandReport& report) {
    std::string text =
        fmt::format("trained on {} by {}\n", count_of(report.num_labels, "label", "labels"),
                    printable(request.command.command));
    if (report.committee) {
        const Committee& committee = *report.committee;
        text += fmt::format("model        {} ({}): {}, {} of {}\n", printable(request.model_path),
                            report.model_hash.substr(0, hash_digits_shown),
                            model::task_name(committee.task),
                            count_of(committee.num_members(), "member", "members"),
                            count_of(committee.dim, "feature", "features"));
    }
    if (!report.predicted.empty()) {
        text += fmt::format("predictions  {}: {} of {}\n", printable(request.predictions_path),
                            fmt::join(report.predicted, ", "),
                            count_of(report.predicted_rows, "row", "rows"));
    }
    if (!request.command.log_path.empty())
        text += fmt::format("log          {}\n", printable(request.command.log_path));
    return text + fmt::format("{:.2f} s\n", report.seconds);
}

std::string train_command_json(const TrainCommandRequest& request,
                               const TrainCommandReport& report) {
    Json json;
    json["command"] = request.command.command;
    json["labels"] = report.num_labels;
    if (report.committee) {
        json["model"] = request.model_path;
        json["model_hash"] = report.model_hash;
        json["task"] = model::task_name(report.committee->task);
        json["dim"] = report.committee->dim;
        json["outputs"] = report.committee->outputs;
        json["members"] = report.committee->num_members();
    }
    if (!report.predicted.empty()) {
        json["predictions"] = request.predictions_path;
        json["predicted"] = report.predicted;
        json["predicted_rows"] = report.predicted_rows;
    }
    json["log"] = request.command.log_path;
    json["seconds"] = report.seconds;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::campaign
