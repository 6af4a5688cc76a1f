#include "model/train.hpp"

namespace sluice::model {

const std::vector<HeadDefinition>& head_definitions() {
    static const std::vector<HeadDefinition> definitions = {
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

}  // namespace sluice::model
