#include "model/train.hpp"

#include <cstddef>

namespace sluice::model {

const std::vector<HeadDefinition>& head_definitions() {
    static const std::vector<HeadDefinition> definitions = {
        // in the order of Head
        {Head::softmax, "softmax", Task::classification,
         "class probabilities by cross-entropy; with no hidden layer logistic regression"},
        {Head::hinge, "hinge", Task::classification,
         "decision values by squared hinge loss, one class against the rest: a linear SVM"},
        {Head::squares, "squares", Task::regression, "predictions by least squares"},
        {Head::gaussian, "gaussian", Task::regression,
         "predictions and their variances by the likelihood of a normal distribution"},
    };
    return definitions;
}

const HeadDefinition& head_definition(Head head) {
    return head_definitions().at(static_cast<std::size_t>(head));
}

}  // namespace sluice::model
