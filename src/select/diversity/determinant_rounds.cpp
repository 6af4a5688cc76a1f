#include "select/diversity/determinant_rounds.hpp"

#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace sluice::select {
namespace {

// Null on the CPU, or where the device has no memory for the rows.
std::unique_ptr<kernels::DeviceVariances> on_device(const ShortlistShare& share,
                                                    const DiversityOptions& options) {
    if (options.backend == kernels::Backend::cpu || share.rows.empty()) return nullptr;
    return kernels::make_device_variances(share.features);
}

// A round with fewer picks makes the panels of the later ones larger.
constexpr std::int64_t few_picks = 100;
constexpr std::int64_t least_panel = 128;
constexpr std::int64_t panel_rows_a_pick = 64;

// Rows of a panel that see each pick at once; they fit the second-level cache.
constexpr std::int64_t inner_rows = 128;

std::vector<float> gathered(const DeterminantRows& rows, std::span<const std::int64_t> locals,
                            std::int64_t dim) {
    std::vector<float> result;
    result.reserve(locals.size() * static_cast<std::size_t>(dim));
    for (const std::int64_t local : locals)
        result.insert(result.end(), rows.features(local), rows.features(local) + dim);
    return result;
}

}  // namespace

DeterminantRounds::DeterminantRounds(const ShortlistShare& share, const DiversityOptions& options,
                                     std::vector<DeterminantRows::Row> rows, Covariance& covariance)
    : options_(options),
      covariance_(covariance),
      looks_(share.features.dim),
      rows_(share.features, std::move(rows), model(), on_device(share, options)) {}

DeterminantRows::Model DeterminantRounds::model() const {
    return {looks_, covariance_.squared_sigma(), options_.num_threads};
}

// Of what all ranks want, as of the rows.
std::int64_t DeterminantRounds::own_part(std::int64_t wanted) const {
    return std::max<std::int64_t>(1, wanted * rows_.size() / num_rows_);
}

DiverseBatch DeterminantRounds::pick(comm::Communicator& world) {
    num_rows_ = world.sum(rows_.size());
    num_picks_ = std::clamp<std::int64_t>(options_.num_picks, 0, num_rows_);
    while (num_left() > 0) {
        leave_if_stopped(world);
        const std::int64_t before = num_left();
        const std::int64_t wanted =
            std::min(panel_rows_, std::max(least_panel, panel_rows_a_pick * num_left()));
        const DeterminantRows::Best best = rows_.tighten_best(own_part(wanted), {}, world);
        batch_.rows_refreshed += best.num_tightened;
        pick_among(best.locals, best.bar, world);
        if (before - num_left() < few_picks)
            panel_rows_ = std::min(2 * panel_rows_, most_panel_rows);
        if (options_.progress != nullptr) options_.progress->advance(before - num_left());
    }
    return std::move(batch_);
}

// The features of rows of all ranks.
kernels::MatrixView DeterminantRounds::tell(const std::vector<std::int64_t>& locals,
                                            comm::Communicator& world) {
    constexpr std::int64_t rows_a_task = 256;
    const std::int64_t dim = looks_.dim();
    const std::int64_t count = std::ssize(locals);
    float* const own = own_.reserve(count * dim);
    kernels::parallel_for(options_.num_threads, (count + rows_a_task - 1) / rows_a_task,
                          [&](std::int64_t task) {
                              const std::int64_t end = std::min(count, (task + 1) * rows_a_task);
                              for (std::int64_t i = task * rows_a_task; i < end; ++i) {
                                  std::copy_n(rows_.features(locals[static_cast<std::size_t>(i)]),
                                              dim, own + i * dim);
                              }
                          });
    if (world.size() == 1) return {own, count, dim};
    const std::int64_t all = world.sum(count);
    float* const told = told_.reserve(all * dim);
    world.all_gather_into(
        std::as_bytes(std::span(own, static_cast<std::size_t>(count * dim))),
        std::as_writable_bytes(std::span(told, static_cast<std::size_t>(all * dim))));
    return {told, all, dim};
}

// The greedy among rows of all ranks; all other rows are below the floor. \collective
void DeterminantRounds::pick_among(const std::vector<std::int64_t>& locals, const Gain& floor,
                                   comm::Communicator& world) {
    std::vector<DeterminantRows::Row> rows;
    for (const std::int64_t local : locals)
        rows.push_back(rows_.row(local));
    const std::int64_t first = world.exclusive_sum(std::ssize(rows));
    rows = world.all_gather(std::span<const DeterminantRows::Row>(rows));
    ++batch_.rounds;
    DeterminantRows panel(tell(locals, world), std::move(rows), model());
    run_greedy(panel, floor);
    for (std::size_t i = 0; i < locals.size(); ++i) {
        const std::int64_t place = first + static_cast<std::int64_t>(i);
        rows_.variances().set_state(locals[i], panel.variances().state(place));
        if (panel.is_taken(place)) rows_.take_out(locals[i]);
    }
}

void DeterminantRounds::run_greedy(DeterminantRows& panel, const Gain& floor) {
    comm::Communicator alone;
    while (num_left() > 0) {
        const DeterminantRows::Best best = panel.tighten_best(inner_rows, floor, alone);
        panel.variances().refresh(best.locals);
        pick_inside(panel, best.locals, best.bar);
        if (best.bar.row == floor.row) return;
    }
}

// Among rows whose variances are up to date; all others of the panel are below the bar.
void DeterminantRounds::pick_inside(DeterminantRows& panel, const std::vector<std::int64_t>& locals,
                                    const Gain& bar) {
    if (locals.empty()) return;
    const std::vector<float> features = gathered(panel, locals, looks_.dim());
    const PackedDots packed({features.data(), std::ssize(locals), looks_.dim()});
    std::vector<double> variances;
    for (const std::int64_t local : locals)
        variances.push_back(panel.variances().value(local));
    std::vector<double> along(locals.size());
    while (num_left() > 0) {
        Gain best;
        std::int64_t picked = -1;
        for (std::size_t j = 0; j < locals.size(); ++j) {
            const Gain one = panel.gain_of(locals[j], variances[j]);
            if (panel.is_taken(locals[j]) || !beats(one, best)) continue;
            best = one;
            picked = locals[j];
        }
        if (picked < 0 || beats(bar, best)) break;
        const Covariance::Look look = take(panel, picked, best);
        packed.dot(look.direction, along, 1);
        for (std::size_t j = 0; j < locals.size(); ++j)
            variances[j] -= along[j] * along[j] / look.variance;
    }
    for (std::size_t j = 0; j < locals.size(); ++j)
        panel.variances().set(locals[j], variances[j]);
}

Covariance::Look DeterminantRounds::take(DeterminantRows& panel, std::int64_t local,
                                         const Gain& gain) {
    panel.take_out(local);
    batch_.picks.push_back({gain.row, static_cast<float>(std::sqrt(gain.gain))});
    std::vector<double> scaled =
        widened(std::span(panel.features(local), static_cast<std::size_t>(looks_.dim())));
    for (double& value : scaled)
        value *= panel.row(local).quality;
    Covariance::Look look = covariance_.look_at(scaled);
    looks_.add(look.direction, look.variance);
    return look;
}

}  // namespace sluice::select
