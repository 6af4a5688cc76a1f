#include "core/text.hpp"
#include "pool/made_inputs.hpp"
#include "pool/made_precise.hpp"
#include "pool/sobol.hpp"

#include <array>

namespace sluice::pool {
namespace {

// How a parameter goes from `low` at 0 to `high` at 1: evenly, or evenly in its logarithm, whose
// span is `log_ratio` = ln(high / low).
struct Quantity {
    const char* name;
    const char* unit;
    double low;
    double high;
    double log_ratio;  // 0 = evenly

    double at(double share) const {
        return log_ratio > 0.0 ? low * precise_exp(share * log_ratio) : low + (high - low) * share;
    }
};

constexpr double log_10 = 2.302585092994045684;
constexpr double log_25 = 3.218875824868200749;
constexpr double log_30 = 3.401197381662155375;
constexpr double log_50 = 3.912023005428146059;

// A few rows of a hundred have a transistor that is off, or a load that it shorts: no bandwidth can
// be measured, which is for the oracle to find out.
constexpr std::array<Quantity, amplifier_features> quantities = {{
    {"w", "m", 2e-6, 50e-6, log_25},
    {"l", "m", 0.5e-6, 5e-6, log_10},
    {"rd", "ohm", 1e3, 30e3, log_30},
    {"vgg", "V", 0.69, 1.1, 0.0},
    {"cl", "F", 0.2e-12, 10e-12, log_50},
}};

std::vector<InputColumn> quantity_columns() {
    std::vector<InputColumn> columns;
    for (const Quantity& quantity : quantities)
        columns.push_back({quantity.name, quantity.unit,
                           number_text(quantity.low) + "," + number_text(quantity.high) +
                               (quantity.log_ratio > 0.0 ? ",log" : ",linear")});
    return columns;
}

class Amplifier : public InputMaker {
  public:
    explicit Amplifier(const MadeShape& shape)
        : InputMaker(quantity_columns(), amplifier_features),
          points_(amplifier_features, shape.seed) {}

    void fill_cases(RowRange rows, std::span<double> inputs,
                    std::span<float> features) const override {
        points_.fill(rows, inputs);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const double share = inputs[i];
            features[i] = static_cast<float>(2.0 * share - 1.0);
            inputs[i] = quantities[i % quantities.size()].at(share);
        }
    }

  private:
    SobolPoints points_;
};

}  // namespace

std::unique_ptr<FeatureMaker> make_amplifier(const MadeShape& shape) {
    return std::make_unique<Amplifier>(shape);
}

}  // namespace sluice::pool
