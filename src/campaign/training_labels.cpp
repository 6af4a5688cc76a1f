#include "campaign/training_labels.hpp"

#include "campaign/label_files.hpp"
#include "campaign/model_archive.hpp"
#include "campaign/training_set_builder.hpp"
#include "core/error.hpp"

namespace sluice::campaign {

void add_sources(const std::vector<LabelSource>& sources, TrainingSetBuilder& builder) {
    std::string names;
    for (const LabelSource& source : sources) {
        names += (names.empty() ? "" : ", ") + source.path;
        const std::vector<std::string> files = label_files(source.path);
        require(!files.empty(), ExitCode::no_input,
                source.path + ": holds no labels.g*.h5; run 'sluice ingest' first");
        for (const std::string& file : files)
            builder.add(file, source.first_round, source.last_round);
    }
    builder.finish();
    builder.set().source = names;
}

model::TrainingSet read_training_set(const std::vector<LabelSource>& sources,
                                     const pool::Pool* pool, std::int64_t num_classes,
                                     comm::Communicator& world) {
    std::string bytes;
    world.agree([&] {
        if (!world.is_root()) return;
        TrainingSetBuilder builder(pool, num_classes, TrainingSetBuilder::Extent::training);
        add_sources(sources, builder);
        bytes = pool::pack(std::move(builder.set()));
    });
    world.broadcast(bytes);
    return pool::unpack<model::TrainingSet>(bytes);
}

}  // namespace sluice::campaign
