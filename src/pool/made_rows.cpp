#include "pool/made_rows.hpp"

#include "pool/made_store.hpp"

namespace sluice::pool {
namespace {

// Features that the classes hang on when the pool itself stores none.
constexpr std::int64_t hidden_dim = MadeCommittee::num_factors;

}  // namespace

MadeRows::MadeRows(const MakeOptions& options)
    : options_(options), dim_(options.dim.value()), classes_(options.classes.value()) {
    shape_ = {options.seed, dim_ > 0 ? dim_ : hidden_dim, classes_};
    features_ = made_kind(options.kind).make(shape_);
    inputs_ = dynamic_cast<const InputMaker*>(features_.get());
    if (classes_ > 0 || options.outputs > 0) {
        committee_ = std::make_unique<MadeCommittee>(
            shape_, CommitteeShape{options.members, options.outputs}, *features_);
    }
    list_datasets();
}

void MadeRows::list_datasets() {
    const std::string value_kind = options_.logits ? "logit" : "probability";
    const MakeOptions& o = options_;
    if (dim_ > 0) datasets_.push_back({"features", {dim_}, "", o.type});
    if (classes_ > 0) datasets_.push_back({"probabilities", {classes_}, value_kind, o.type});
    if (classes_ > 0 && o.members > 0) {
        datasets_.push_back({"committee", {o.members, classes_}, value_kind, o.type});
    }
    if (o.outputs > 0) datasets_.push_back({"predictions", {o.members, o.outputs}, "", o.type});
    if (inputs_ != nullptr) {
        const auto num_columns = static_cast<std::int64_t>(inputs_->columns().size());
        datasets_.push_back({"inputs", {num_columns}, "", ElementType::float64});
    }
    for (MadeDataset& dataset : datasets_) {
        dataset.row_bytes = element_bytes(dataset.type);
        for (const std::int64_t extent : dataset.row_shape)
            dataset.row_bytes *= extent;
    }
}

std::vector<InputColumn> MadeRows::input_columns() const {
    return inputs_ == nullptr ? std::vector<InputColumn>() : inputs_->columns();
}

void MadeRows::fill_features(RowRange rows, Block& block) const {
    block.features.resize(static_cast<std::size_t>(rows.size() * shape_.dim));
    if (inputs_ == nullptr) {
        features_->fill(rows, block.features);
    } else {
        block.inputs.resize(static_cast<std::size_t>(rows.size()) * inputs_->columns().size());
        inputs_->fill_cases(rows, block.inputs, block.features);
    }
}

void MadeRows::make(RowRange rows, Block& block) const {
    fill_features(rows, block);
    std::vector<float> factors;
    if (committee_) factors = committee_->factors(block.features);
    block.stored.resize(datasets_.size());
    for (std::size_t i = 0; i < datasets_.size(); ++i) {
        if (datasets_[i].role == "features") {
            store_values(block.features, options_.type, block.stored[i]);
        } else if (datasets_[i].role == "inputs") {
            const auto bytes = std::as_bytes(std::span(block.inputs));
            block.stored[i].assign(bytes.begin(), bytes.end());
        } else {
            fill(datasets_[i], factors, block, rows);
            store_values(block.values, options_.type, block.stored[i]);
        }
    }
}

void MadeRows::fill(const MadeDataset& dataset, std::span<const float> factors, Block& block,
                    RowRange rows) const {
    const std::int64_t row_elements = dataset.row_bytes / element_bytes(dataset.type);
    block.values.resize(static_cast<std::size_t>(rows.size() * row_elements));
    if (dataset.role == "predictions") {
        committee_->fill_predictions(factors, block.values);
    } else if (dataset.role == "committee") {
        committee_->fill_member_logits(factors, block.values);
    } else {
        committee_->fill_logits(factors, block.values);
    }
    if (dataset.value_kind == "probability") softmax_rows(block.values, classes_);
}

}  // namespace sluice::pool
