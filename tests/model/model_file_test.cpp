#include "model/model_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "h5/output_file.hpp"
#include "model/train.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>

namespace sluice::model {
namespace {

using test::expect_error;

Committee classifier() {
    TrainOptions options = test::small_options();
    options.dropout_masks = 3;
    options.dropout_rate = 0.25;
    options.seed = std::numeric_limits<std::uint64_t>::max();
    options.held_out = 0.3;
    return train_committee(test::made_classes(100, 3, 3), options);
}

Committee regression() {
    TrainOptions options = test::small_options();
    options.head = Head::gaussian;
    options.held_out = 0.0;
    TrainingSet set = test::made_numbers(50, 4, 2);
    set.target_names = {"energy", "gap"};
    set.target_units = {"Eh", "eV"};
    return train_committee(set, options);
}

class ModelFile : public ::testing::Test {
  protected:
    test::TemporaryDirectory folder_;
    std::string path_ = folder_.file("model.h5");
};

TEST_F(ModelFile, gives_back_what_it_was_given) {
    for (const Committee& committee : {classifier(), regression()}) {
        publish_model(path_, committee);
        const Committee read = read_model(path_);
        EXPECT_EQ(model_hash(read), model_hash(committee));
        EXPECT_EQ(model_image(read), model_image(committee));  // history, names, all of it
        EXPECT_EQ(read.history.size(), 2U);
        EXPECT_EQ(read.history[1].training_loss, committee.history[1].training_loss);
        EXPECT_EQ(read.history[1].best_epoch, committee.history[1].best_epoch);
        EXPECT_EQ(read.target_names, committee.target_names);
        EXPECT_EQ(read.target_units, committee.target_units);
        EXPECT_EQ(read.provenance, committee.provenance);
        EXPECT_EQ(read.calibration.rows, committee.calibration.rows);
        EXPECT_EQ(read.calibration.error, committee.calibration.error);
        EXPECT_EQ(read.dropout.has_value(), committee.dropout.has_value());
    }
}

TEST_F(ModelFile, equal_committees_have_equal_bytes) {
    EXPECT_EQ(model_image(classifier()), model_image(classifier()));
}

TEST_F(ModelFile, hash_sees_all_that_decides_and_nothing_else) {
    const Committee base = regression();
    std::set<std::string> hashes = {model_hash(base)};
    const auto expect_other = [&](const std::function<void(Committee&)>& change) {
        Committee other = base;
        change(other);
        EXPECT_TRUE(hashes.insert(model_hash(other)).second);
    };
    expect_other([](Committee& c) { c.networks[1].layers[0].weight[2] += 1.0F; });
    expect_other([](Committee& c) { c.networks[1].layers[1].bias[0] += 1.0F; });
    expect_other([](Committee& c) { c.input.mean[0] += 1.0F; });
    expect_other([](Committee& c) { c.target.scale[1] *= 2.0F; });
    expect_other([](Committee& c) { c.temperature = 2.0F; });
    expect_other([](Committee& c) { c.dropout = Dropout{2, 0.5F, 0}; });
    expect_other([](Committee& c) { c.dropout = Dropout{2, 0.5F, 1}; });
    expect_other(
        [](Committee& c) { c.networks[0].layers[0].activation = kernels::Activation::relu; });
    Committee same = base;
    same.history.clear();
    same.provenance = "{}";
    EXPECT_EQ(model_hash(same), model_hash(base));
}

// A small right model, written piece by piece so that a test may break one.
struct Pieces {
    std::string format = "sluice-model";
    std::int64_t version = 1;
    std::string task = "classification";
    std::int64_t dim = 2;
    std::int64_t outputs = 3;
    std::int64_t networks = 1;
    std::vector<float> weight = {1, 2, 3, 4, 5, 6};
    std::vector<std::int64_t> weight_dims = {3, 2};
    std::vector<float> bias = {0, 0, 0};
    std::string activation = "identity";
    double temperature = 1.0;
    std::function<void(h5::OutputFile&)> more = [](h5::OutputFile&) {};
};

void write(const std::string& path, const Pieces& pieces) {
    ::remove(path.c_str());
    h5::OutputFile file(path);
    const std::string layer = "members/0000/layers/00/";
    file.set_attribute("/", "format", pieces.format);
    file.set_attribute("/", "format_version", pieces.version);
    file.set_attribute("/", "task", pieces.task);
    file.set_attribute("/", "dim", pieces.dim);
    file.set_attribute("/", "outputs", pieces.outputs);
    file.set_attribute("/", "networks", pieces.networks);
    file.set_attribute("/", "temperature", pieces.temperature);
    if (!pieces.weight.empty()) {
        file.write_dataset(layer + "weight", std::span<const float>(pieces.weight),
                           pieces.weight_dims);
        file.set_attribute(layer + "weight", "activation", pieces.activation);
    }
    if (!pieces.bias.empty()) {
        file.write_dataset(layer + "bias", std::span<const float>(pieces.bias),
                           {std::ssize(pieces.bias)});
    }
    pieces.more(file);
    file.close();
}

void write_floats(h5::OutputFile& file, const std::string& name, const std::vector<float>& values) {
    file.write_dataset(name, std::span<const float>(values), {std::ssize(values)});
}

class BadModel : public ModelFile {
  protected:
    void refuse(const std::string& part, const std::function<void(Pieces&)>& change) {
        Pieces pieces;
        change(pieces);
        write(path_, pieces);
        expect_error(ExitCode::bad_data, part, [&] { read_model(path_); });
    }
};

TEST_F(BadModel, the_right_one_can_be_read) {
    write(path_, {});
    EXPECT_EQ(read_model(path_).networks[0].layers[0].weight[5], 6.0F);
}

TEST_F(BadModel, is_no_model) {
    expect_error(ExitCode::no_input, path_, [&] { read_model(path_); });
    create_text_file(path_, "no HDF5 at all");
    expect_error(ExitCode::bad_data, path_ + ": cannot be opened as HDF5",
                 [&] { read_model(path_); });
    refuse("format: is no model of sluice (sluice-pool)",
           [](Pieces& p) { p.format = "sluice-pool"; });
    refuse("format_version: is not 1 (2)", [](Pieces& p) { p.version = 2; });
    refuse("task: unknown (poetry)", [](Pieces& p) { p.task = "poetry"; });
    refuse("outputs: is not from 2", [](Pieces& p) { p.outputs = 1; });
    refuse("dim: is not from 1", [](Pieces& p) { p.dim = -4; });
}

TEST_F(BadModel, lacks_something) {
    refuse("members/0000/layers/00/weight: is missing", [](Pieces& p) { p.weight.clear(); });
    refuse("members/0000/layers/00/bias: is missing", [](Pieces& p) { p.bias.clear(); });
    refuse("members/0001/layers/00/weight: is missing", [](Pieces& p) { p.networks = 2; });
    refuse("input/scale: is missing", [](Pieces& p) {
        p.more = [](h5::OutputFile& file) { write_floats(file, "input/mean", {0, 0}); };
    });
}

TEST_F(BadModel, has_wrong_shapes) {
    refuse("weight: has shape [3,2] where [outputs,5] is needed", [](Pieces& p) { p.dim = 5; });
    refuse("the last layer has 3 outputs, but the model says 4", [](Pieces& p) { p.outputs = 4; });
    refuse("bias: has shape [2] where [3] is needed", [](Pieces& p) { p.bias = {0, 0}; });
    refuse("weight: has shape [6]", [](Pieces& p) { p.weight_dims = {6}; });
    refuse("input/mean: has shape [3] where [2] is needed", [](Pieces& p) {
        p.more = [](h5::OutputFile& file) {
            write_floats(file, "input/mean", {0, 0, 0});
            write_floats(file, "input/scale", {1, 1, 1});
        };
    });
}

TEST_F(BadModel, has_wrong_values) {
    refuse("weight[4]: is not finite (nan)",
           [](Pieces& p) { p.weight[4] = std::numeric_limits<float>::quiet_NaN(); });
    refuse("bias[0]: is not finite (inf)",
           [](Pieces& p) { p.bias[0] = std::numeric_limits<float>::infinity(); });
    refuse("unknown activation (gelu)", [](Pieces& p) { p.activation = "gelu"; });
    refuse("temperature: is not above 0 and finite (0)", [](Pieces& p) { p.temperature = 0.0; });
    refuse("input/scale[1]: is not above 0 (0)", [](Pieces& p) {
        p.more = [](h5::OutputFile& file) {
            write_floats(file, "input/mean", {0, 0});
            write_floats(file, "input/scale", {1, 0});
        };
    });
    refuse("dropout_rate: is not from 0 to below 1 (1)", [](Pieces& p) {
        p.more = [](h5::OutputFile& file) {
            file.set_attribute("/", "dropout_masks", std::int64_t{2});
            file.set_attribute("/", "dropout_rate", 1.0);
        };
    });
}

TEST_F(BadModel, would_take_absurd_memory) {
    refuse("has more than 67,108,864 numbers", [](Pieces& p) {
        p.outputs = std::int64_t{1} << 24;
        p.weight.clear();
        p.bias.clear();
        p.more = [](h5::OutputFile& file) {
            h5::DatasetOptions compressed;
            compressed.chunk_rows = 1;
            compressed.deflate_level = 1;
            auto dataset =
                file.create_dataset("members/0000/layers/00/weight", h5::StoredType::float32,
                                    {std::int64_t{1} << 40, 2}, compressed);
            dataset.close();
        };
    });
    refuse("dropout_masks: members of more than 268,435,456 numbers together (65536)",
           [](Pieces& p) {
               p.dim = 2000;
               p.weight.assign(6000, 1.0F);
               p.weight_dims = {3, 2000};
               p.more = [](h5::OutputFile& file) {
                   file.set_attribute("/", "dropout_masks", std::int64_t{65536});
                   file.set_attribute("/", "dropout_rate", 0.5);
                   file.set_attribute("/", "dropout_seed", std::string("0"));
               };
           });
    refuse("networks: is not from 1 to 65536",
           [](Pieces& p) { p.networks = std::int64_t{1} << 60; });
}

TEST_F(ModelFile, of_float64_weights_can_be_read) {
    Pieces pieces;
    pieces.weight.clear();
    pieces.more = [](h5::OutputFile& file) {
        const std::vector<double> weight = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
        file.write_dataset("members/0000/layers/00/weight", std::span<const double>(weight),
                           {3, 2});
        file.set_attribute("members/0000/layers/00/weight", "activation", std::string("relu"));
    };
    write(path_, pieces);
    EXPECT_EQ(read_model(path_).networks[0].layers[0].weight[0], 0.1F);
}

}  // namespace
}  // namespace sluice::model
