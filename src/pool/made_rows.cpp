#include "pool/made_rows.hpp"

#include "pool/made_store.hpp"

namespace sluice::pool {
namespace {

// Features that the classes hang on when the pool itself stores none.
constexpr std::int64_t hidden_dim = MadeCommittee::num_factors;

}  // namespace

MadeRows::MadeRows(const MakeOptions& options) : options_(options) {
    shape_ = {options.seed, options.dim > 0 ? options.dim : hidden_dim, options.classes};
    features_ = made_kind(options.kind).make(shape_);
    if (options.classes > 0 || options.outputs > 0) {
        committee_ = std::make_unique<MadeCommittee>(
            shape_, CommitteeShape{options.members, options.outputs}, *features_);
    }
    list_datasets();
}

void MadeRows::list_datasets() {
    const std::string value_kind = options_.logits ? "logit" : "probability";
    const MakeOptions& o = options_;
    if (o.dim > 0) datasets_.push_back({"features", {o.dim}, "", 0});
    if (o.classes > 0) datasets_.push_back({"probabilities", {o.classes}, value_kind, 0});
    if (o.classes > 0 && o.members > 0) {
        datasets_.push_back({"committee", {o.members, o.classes}, value_kind, 0});
    }
    if (o.outputs > 0) datasets_.push_back({"predictions", {o.members, o.outputs}, "", 0});
    for (MadeDataset& dataset : datasets_) {
        dataset.row_bytes = element_bytes(o.type);
        for (const std::int64_t extent : dataset.row_shape)
            dataset.row_bytes *= extent;
    }
}

void MadeRows::make(RowRange rows, Block& block) const {
    block.features.resize(static_cast<std::size_t>(rows.size() * shape_.dim));
    features_->fill(rows, block.features);
    std::vector<float> factors;
    if (committee_) factors = committee_->factors(block.features);
    block.stored.resize(datasets_.size());
    for (std::size_t i = 0; i < datasets_.size(); ++i) {
        if (datasets_[i].role == "features") {
            store_values(block.features, options_.type, block.stored[i]);
        } else {
            fill(datasets_[i], factors, block, rows);
            store_values(block.values, options_.type, block.stored[i]);
        }
    }
}

void MadeRows::fill(const MadeDataset& dataset, std::span<const float> factors, Block& block,
                    RowRange rows) const {
    const std::int64_t row_elements = dataset.row_bytes / element_bytes(options_.type);
    block.values.resize(static_cast<std::size_t>(rows.size() * row_elements));
    if (dataset.role == "predictions") {
        committee_->fill_predictions(factors, block.values);
    } else if (dataset.role == "committee") {
        committee_->fill_member_logits(factors, block.values);
    } else {
        committee_->fill_logits(factors, block.values);
    }
    if (dataset.value_kind == "probability") softmax_rows(block.values, options_.classes);
}

}  // namespace sluice::pool
