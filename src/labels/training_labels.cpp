#include "labels/training_labels.hpp"

#include "labels/training_archive.hpp"
#include "labels/training_set_builder.hpp"

namespace sluice::labels {

model::TrainingSet read_training_set(const std::vector<LabelSource>& sources,
                                     const pool::Pool* pool, std::int64_t num_classes,
                                     comm::Communicator& world) {
    std::string bytes;
    world.agree([&] {
        if (!world.is_root()) return;
        TrainingSetBuilder builder(pool, num_classes, TrainingSetBuilder::Extent::training);
        builder.read(sources);
        bytes = pool::pack(std::move(builder.set()));
    });
    world.broadcast(bytes);
    return pool::unpack<model::TrainingSet>(bytes);
}

}  // namespace sluice::labels
