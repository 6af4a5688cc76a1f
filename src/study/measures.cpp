#include "study/measures.hpp"

#include "model/model_outputs.hpp"

namespace sluice::study {
namespace {

// Targets have no names here; what matters is the mean over them.
std::vector<std::string> target_names(std::int64_t outputs) {
    std::vector<std::string> names;
    for (std::int64_t t = 0; t < outputs; ++t)
        names.push_back(std::to_string(t));
    return names;
}

}  // namespace

const std::vector<MeasureDefinition>& measure_definitions() {
    static const std::vector<MeasureDefinition> definitions = [] {
        std::vector<MeasureDefinition> kept;
        for (const char* name :
             {"accuracy", "balanced_accuracy", "log_loss", "rmse", "mae", "max_error"}) {
            kept.push_back(*model::find_metric(name));
        }
        return kept;
    }();
    return definitions;
}

std::vector<MeasureDefinition> measures_of(model::Task task) {
    std::vector<MeasureDefinition> result;
    for (const MeasureDefinition& definition : measure_definitions()) {
        if (definition.task == task) result.push_back(definition);
    }
    return result;
}

std::vector<double> measure(const kernels::CommitteeNetwork& network, model::Task task,
                            std::int64_t outputs, const TestPart& test) {
    const std::vector<float> said = model::outputs_of(network, task, outputs, test.features).mean;
    const model::Metrics metrics =
        task == model::Task::classification
            ? model::classification_metrics(said, test.labels.classes, outputs)
            : model::regression_metrics(said, test.labels.targets, target_names(outputs));
    std::vector<double> values;
    for (const MeasureDefinition& definition : measures_of(task))
        values.push_back(metrics.at(definition.name));
    return values;
}

}  // namespace sluice::study
