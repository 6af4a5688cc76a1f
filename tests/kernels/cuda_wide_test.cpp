// Products in float64 on the device, run on the CPU thread by thread; and, where a device is there,
// on it.
#include "kernels/cuda/device.hpp"
#include "kernels/device_gradients.hpp"
#include "kernels/device_variances.hpp"
#include "kernels/gradient_block.hpp"
#include "kernels/variance_block.hpp"
#include "network_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace sluice::kernels {
namespace {

template <class Left, class Right>
double chain(const Left* x, const Right* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k) {
        const double product = double{x[k]} * double{y[k]};
        sum += product;
    }
    return sum;
}

struct Gradients {
    std::int64_t rows;
    std::int64_t classes;
    std::int64_t dim;
    std::vector<float> errors;
    std::vector<float> features;
    std::vector<double> norms;

    Gradients(std::int64_t num_rows, std::int64_t c, std::int64_t d, unsigned seed)
        : rows(num_rows),
          classes(c),
          dim(d),
          errors(random_floats(static_cast<std::size_t>(rows * c), seed)),
          features(random_floats(static_cast<std::size_t>(rows * d), seed + 1)) {
        measure();
    }

    void measure() {
        norms.clear();
        for (std::int64_t i = 0; i < rows; ++i) {
            const float* const q = errors.data() + i * classes;
            const float* const x = features.data() + i * dim;
            norms.push_back(chain(q, q, classes) * chain(x, x, dim));
        }
    }

    void copy(std::int64_t from, Gradients& to, std::int64_t at) const {
        std::copy_n(errors.begin() + from * classes, classes, to.errors.begin() + at * classes);
        std::copy_n(features.begin() + from * dim, dim, to.features.begin() + at * dim);
        to.measure();
    }

    GradientView view() const {
        return {{errors.data(), rows, classes}, {features.data(), rows, dim}, norms};
    }
    GradientVectors vectors() const {
        return {{errors.data(), rows, classes}, {features.data(), rows, dim}, norms.data()};
    }
};

struct GradientCase {
    Gradients rows;
    Gradients picks;
    std::vector<double> before;
};

/// The last pick is a row: at no distance from it, exactly.
GradientCase make_gradients(std::int64_t rows, std::int64_t picks, std::int64_t classes,
                            std::int64_t dim) {
    GradientCase made{{rows, classes, dim, 91}, {picks, classes, dim, 93}, {}};
    made.rows.copy(rows / 2, made.picks, picks - 1);
    made.before.assign(static_cast<std::size_t>(rows), std::numeric_limits<double>::infinity());
    for (std::size_t row = 0; row < made.before.size(); row += 3)
        made.before[row] = 0.5;
    return made;
}

std::vector<double> plain_spreads(const GradientCase& made) {
    std::vector<double> spreads = made.before;
    const Gradients& x = made.rows;
    const Gradients& y = made.picks;
    for (std::int64_t i = 0; i < x.rows; ++i)
        for (std::int64_t j = 0; j < y.rows; ++j) {
            const double cross =
                chain(x.errors.data() + i * x.classes, y.errors.data() + j * x.classes, x.classes) *
                chain(x.features.data() + i * x.dim, y.features.data() + j * x.dim, x.dim);
            const double sum =
                x.norms[static_cast<std::size_t>(i)] + y.norms[static_cast<std::size_t>(j)];
            double& spread = spreads[static_cast<std::size_t>(i)];
            spread = std::min(spread, std::max(0.0, sum - 2.0 * cross));
        }
    return spreads;
}

const std::vector<GradientCase>& gradient_cases() {
    static const std::vector<GradientCase> cases = {
        make_gradients(1, 1, 1, 1), make_gradients(64, 64, 8, 16), make_gradients(65, 3, 10, 7),
        make_gradients(130, 140, 3, 33)};
    return cases;
}

template <class Block, class Shared, class Task, class Run>
void run_blocks_of(const Task& task, std::int64_t count, const Run& run) {
    Block block;
    Shared shared;
    for (std::int64_t index = 0; index * wide_tile < count; ++index) {
        std::fill_n(reinterpret_cast<unsigned char*>(&shared), sizeof shared, 0xff);  // all NaN
        run(block, shared, task, index);
    }
}

TEST(GradientTwin, gives_the_bits_of_the_plain_loop) {
    for (const GradientCase& made : gradient_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows.rows << " x " << made.picks.rows);
        std::vector<double> spreads = made.before;
        using Block = SerialBlock<GradientThread, wide_threads>;
        run_blocks_of<Block, GradientShared>(
            GradientTask{made.rows.vectors(), made.picks.vectors(), spreads.data()}, made.rows.rows,
            gradient_block<Block>);
        EXPECT_EQ(spreads, plain_spreads(made));
        EXPECT_EQ(spreads[static_cast<std::size_t>(made.rows.rows / 2)], 0.0);
    }
}

TEST(CudaGradients, give_the_bits_of_the_plain_loop) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const GradientCase& made : gradient_cases()) {
        std::vector<double> spreads = made.before;
        const auto rows = make_device_gradients(made.rows.view());
        ASSERT_NE(rows, nullptr);
        rows->lower(made.picks.view(), spreads);
        EXPECT_EQ(spreads, plain_spreads(made));
    }
}

struct VarianceCase {
    std::int64_t rows;
    std::int64_t looks;
    std::int64_t dim;
    std::vector<float> x;
    std::vector<double> directions;
    std::vector<double> divisors;
    std::vector<std::int64_t> picked;  // rows in any order
    std::vector<std::int32_t> seen;    // [picked] ascending
    std::vector<double> before;        // [picked]
};

VarianceCase make_variances(std::int64_t rows, std::int64_t looks, std::int64_t dim) {
    VarianceCase made{rows, looks, dim, random_floats(static_cast<std::size_t>(rows * dim), 95),
                      {},   {},    {},  {},
                      {}};
    const auto directions = random_floats(static_cast<std::size_t>(looks * dim), 96);
    // Of more digits than float32 has.
    for (const float value : directions)
        made.directions.push_back(double{value} * (1.0 + 0x1p-40));
    for (std::int64_t j = 0; j < looks; ++j)
        made.divisors.push_back(1.5 + 0.1 * static_cast<double>(j % 7));
    for (std::int64_t row = rows - 1; row >= 0; row -= 2)
        made.picked.push_back(row);
    for (std::size_t i = 0; i < made.picked.size(); ++i) {
        made.seen.push_back(
            static_cast<std::int32_t>(i * static_cast<std::size_t>(looks) / made.picked.size()));
        made.before.push_back(1000.0 + static_cast<double>(i));
    }
    return made;
}

std::vector<double> plain_variances(const VarianceCase& made) {
    std::vector<double> variances = made.before;
    for (std::size_t i = 0; i < variances.size(); ++i)
        for (std::int64_t j = made.seen[i]; j < made.looks; ++j) {
            const double along = chain(made.x.data() + made.picked[i] * made.dim,
                                       made.directions.data() + j * made.dim, made.dim);
            const double part = along * along / made.divisors[static_cast<std::size_t>(j)];
            variances[i] -= part;
        }
    return variances;
}

const std::vector<VarianceCase>& variance_cases() {
    static const std::vector<VarianceCase> cases = {
        make_variances(1, 1, 1), make_variances(140, 9, 5), make_variances(300, 150, 17)};
    return cases;
}

TEST(VarianceTwin, gives_the_bits_of_the_plain_loop) {
    for (const VarianceCase& made : variance_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows << " x " << made.looks << " x " << made.dim);
        std::vector<double> variances = made.before;
        const std::int64_t count = std::ssize(made.picked);
        using Block = SerialBlock<VarianceThread, wide_threads>;
        run_blocks_of<Block, VarianceShared>(
            VarianceTask{{made.x.data(), count, made.dim, made.picked.data()},
                         made.seen.data(),
                         {made.directions.data(), made.looks, made.dim},
                         made.divisors.data(),
                         variances.data()},
            count, variance_block<Block>);
        EXPECT_EQ(variances, plain_variances(made));
    }
}

TEST(CudaVariances, give_the_bits_of_the_plain_loop) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const VarianceCase& made : variance_cases()) {
        const auto rows = make_device_variances({made.x.data(), made.rows, made.dim});
        ASSERT_NE(rows, nullptr);
        // A first call with half of the looks: the others are added to them.
        for (const std::int64_t looks : {made.looks / 2, made.looks}) {
            std::vector<double> variances = made.before;
            VarianceCase first = made;
            first.looks = looks;
            const std::span directions(made.directions);
            rows->refresh(made.picked, made.seen,
                          {directions.first(static_cast<std::size_t>(looks * made.dim)),
                           std::span(made.divisors).first(static_cast<std::size_t>(looks))},
                          variances);
            EXPECT_EQ(variances, plain_variances(first));
        }
    }
}

}  // namespace
}  // namespace sluice::kernels
