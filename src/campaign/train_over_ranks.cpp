#include "campaign/train_over_ranks.hpp"

#include "comm/cores.hpp"
#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/task_threads.hpp"
#include "labels/training_archive.hpp"
#include "model/loss_head.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace sluice::campaign {
namespace {

using model::TrainedNetwork;
using model::TrainingSet;
using model::TrainOptions;

// Trains this rank's share of the members, as many at a time as it has cores.
class Share {
  public:
    Share(const TrainingSet& set, const TrainOptions& options, const comm::Communicator& world)
        : set_(set), options_(options) {
        for (std::int64_t member = world.rank(); member < options.members; member += world.size())
            members_.push_back(member);
        trained_.resize(members_.size());
        num_threads_ = comm::cores_of_this_rank(world);
    }

    std::vector<TrainedNetwork> run() {
        Progress progress("training", std::ssize(members_) * options_.max_epochs, "epochs");
        TaskThreads threads(std::ssize(members_));
        threads.run(num_threads_, [&] {
            while (const auto next = threads.next())
                train(static_cast<std::size_t>(*next), threads, progress);
        });
        return std::move(trained_);
    }

  private:
    void train(std::size_t index, const TaskThreads& threads, Progress& progress) {
        std::int64_t epochs_left = options_.max_epochs;
        trained_[index] =
            model::train_network(set_, options_, members_[index], [&](std::int64_t /*epoch*/) {
                require(!stop_requested() && !threads.failed(), ExitCode::try_again,
                        stop_text() +
                            " while training; nothing was written, run the same "
                            "command again");
                progress.advance(1);
                --epochs_left;
            });
        progress.advance(epochs_left);
    }

    const TrainingSet& set_;
    const TrainOptions& options_;
    std::vector<std::int64_t> members_;
    std::vector<TrainedNetwork> trained_;
    std::int64_t num_threads_ = 1;
};

// Member m is entry m / size of rank m % size.
std::vector<TrainedNetwork> in_member_order(std::vector<std::vector<TrainedNetwork>> of_ranks,
                                            std::int64_t members) {
    std::vector<TrainedNetwork> all;
    for (std::size_t m = 0; m < static_cast<std::size_t>(members); ++m)
        all.push_back(std::move(of_ranks[m % of_ranks.size()].at(m / of_ranks.size())));
    return all;
}

std::vector<std::vector<TrainedNetwork>> exchange(std::vector<TrainedNetwork> mine,
                                                  comm::Communicator& world) {
    const std::string packed = pool::pack(std::move(mine));
    const std::vector<char> bytes = world.all_gather(std::span<const char>(packed));
    pool::Unpacker unpacker(std::string_view(bytes.data(), bytes.size()));
    std::vector<std::vector<TrainedNetwork>> of_ranks(static_cast<std::size_t>(world.size()));
    for (std::vector<TrainedNetwork>& share : of_ranks)
        pool::transfer(unpacker, share);
    return of_ranks;
}

}  // namespace

model::Committee train_over_ranks(const model::TrainingSet& set, const model::TrainOptions& options,
                                  comm::Communicator& world) {
    std::vector<TrainedNetwork> mine;
    world.agree([&] {
        model::check_trainable(set, options);
        mine = Share(set, options, world).run();
    });
    std::vector<std::vector<TrainedNetwork>> of_ranks = exchange(std::move(mine), world);
    model::Committee committee;
    world.agree([&] {
        committee =
            model::assemble(set, options, in_member_order(std::move(of_ranks), options.members));
    });
    return committee;
}

void train_loss_head(const model::TrainingSet& set, const model::TrainOptions& options,
                     std::int64_t num_folds, model::Committee& committee,
                     comm::Communicator& world) {
    const std::int64_t needed = 2 * num_folds;
    world.agree([&] {
        require(set.size() >= needed, ExitCode::bad_data,
                set.source + ": fewer labels than --loss-folds needs (" +
                    std::to_string(set.size()) + " of " + std::to_string(needed) +
                    "); label more rows or give fewer folds");
    });
    const model::TrainOptions of_folds = model::fold_options(options, num_folds);
    const bool has_folds = options.resample == model::Resample::k_fold &&
                           options.members == num_folds && options.dropout_masks == 0;
    model::Committee folds = has_folds ? committee : train_over_ranks(set, of_folds, world);
    model::TrainingSet losses;
    world.agree([&] { losses = model::loss_labels(set, of_folds, folds); });
    model::Committee head = train_over_ranks(losses, model::loss_head_options(options), world);
    model::add_loss_head(std::move(head), num_folds, committee);
}

}  // namespace sluice::campaign
