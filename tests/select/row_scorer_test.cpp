// What is read of a pool of 16-bit numbers for a score that runs on a GPU.
#include "select/row_scorer.hpp"

#include "kernels/cuda/device.hpp"
#include "kernels/half.hpp"
#include "pool/make.hpp"
#include "select/score_catalog.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <string>

namespace sluice::select {
namespace {

class HalfRows : public testing::Test {
  protected:
    HalfRows()
        : path_(std::filesystem::temp_directory_path() /
                ("sluice_halves." + std::to_string(::getpid()) + ".h5")) {
        pool::MakeOptions options;
        options.kind = "clusters";
        options.path = path_.string();
        options.num_rows = 300;
        options.dim = 4;
        options.classes = 5;
        options.type = pool::ElementType::float16;
        options.chunk_rows = 64;
        comm::Communicator alone;
        pool::make_pool(options, alone);
        pool_ = pool::open_pool({{path_.string()}}, alone);
    }
    ~HalfRows() override { std::filesystem::remove(path_); }

    static Plan entropy_plan(kernels::Backend backend) {
        Plan plan;
        plan.backend = backend;
        plan.score = parse_score("entropy");
        plan.sources = {{"entropy", &find_catalog_score("entropy"),
                         kernels::ScoreInput::probabilities, "probabilities"}};
        return plan;
    }

    std::filesystem::path path_;
    pool::Pool pool_;
};

TEST_F(HalfRows, stay_as_they_are_for_a_gpu) {
    if (!kernels::cuda::is_built_in()) GTEST_SKIP() << "built without CUDA";
    ASSERT_EQ(pool_.get("probabilities", "test").type, pool::ElementType::float16);
    const Plan on_cpu = entropy_plan(kernels::Backend::cpu);
    const Plan on_gpu = entropy_plan(kernels::Backend::cuda);
    const RowScorer wide(pool_, on_cpu);
    const RowScorer narrow(pool_, on_gpu);
    RowScorer::Buffers wide_rows;
    RowScorer::Buffers narrow_rows;
    const auto expect_the_same = [&] {
        const kernels::ScoreBlock& block = narrow_rows.blocks.front();
        ASSERT_EQ(block.values, nullptr);
        ASSERT_NE(block.halves, nullptr);
        ASSERT_EQ(narrow_rows.halves.front().size(), wide_rows.values.front().size());
        for (std::size_t i = 0; i < wide_rows.values.front().size(); ++i)
            ASSERT_EQ(kernels::widened(block.halves[i]), wide_rows.values.front()[i]) << i;
    };
    wide.read({10, 250}, wide_rows);
    narrow.read({10, 250}, narrow_rows);
    expect_the_same();
    const std::vector<RowId> rows = {3, 4, 100, 299};
    wide.gather(rows, wide_rows);
    narrow.gather(rows, narrow_rows);
    expect_the_same();
}

TEST_F(HalfRows, are_widened_where_a_condition_reads_them_too) {
    if (!kernels::cuda::is_built_in()) GTEST_SKIP() << "built without CUDA";
    Plan plan = entropy_plan(kernels::Backend::cuda);
    RowCondition condition;
    condition.role = "probabilities";
    plan.conditions.push_back(condition);
    RowScorer::Buffers buffers;
    RowScorer(pool_, plan).read({0, 300}, buffers);
    EXPECT_NE(buffers.blocks.front().values, nullptr);
    EXPECT_EQ(buffers.blocks.front().halves, nullptr);
}

}  // namespace
}  // namespace sluice::select
