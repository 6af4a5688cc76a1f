#include "kernels/network_plan.hpp"

#include "kernels/dense.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace sluice::kernels {

namespace {

// Layers run side by side up to this many columns: enough to fill the panels, few enough to stay
// in cache.
constexpr std::int64_t most_columns = 1024;

bool same_floats(const float* a, const float* b, std::int64_t count) {
    return a == b || std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(float)) == 0;
}

bool same_layer(const DenseLayer& a, const DenseLayer& b) {
    return a.inputs == b.inputs && a.outputs == b.outputs && a.activation == b.activation &&
           same_floats(a.bias, b.bias, a.outputs) &&
           same_floats(a.weight, b.weight, a.inputs * a.outputs);
}

// A layer and the members that have it in this place.
struct SharedLayer {
    DenseLayer layer;
    std::vector<std::size_t> members;
};

// Members that agree so far, and where the values lie that their next layers read.
struct Branch {
    std::int64_t level = 0;
    std::int64_t column = 0;
    std::vector<std::size_t> members;
};

std::int64_t num_panels(std::int64_t columns) {
    return (columns + DensePanels::panel_width - 1) / DensePanels::panel_width;
}

class Planner {
  public:
    explicit Planner(const NetworkDefinition& definition) : definition_(definition) {
        Branch root;
        for (std::size_t m = 0; m < definition.members.size(); ++m)
            root.members.push_back(m);
        widen(0, definition.dim);
        expand(root);
    }

    NetworkPlan plan() { return std::move(plan_); }

  private:
    void widen(std::int64_t level, std::int64_t width) {
        if (static_cast<std::size_t>(level) >= plan_.widths.size()) plan_.widths.push_back(0);
        std::int64_t& widest = plan_.widths[static_cast<std::size_t>(level)];
        widest = std::max(widest, width);
    }

    const DenseLayer& layer_of(std::size_t member, const Branch& branch) const {
        return definition_.members[member][static_cast<std::size_t>(branch.level)];
    }

    void expand(const Branch& branch) {
        std::vector<SharedLayer> next;
        for (const std::size_t member : branch.members) {
            const bool is_last =
                definition_.members[member].size() == static_cast<std::size_t>(branch.level) + 1;
            if (is_last)
                add_output(branch, member);
            else
                share(next, layer_of(member, branch), member);
        }
        for (std::size_t begin = 0; begin < next.size();) {
            const std::size_t end = end_of_run(next, begin);
            add_hidden(branch, {next.begin() + static_cast<std::ptrdiff_t>(begin),
                                next.begin() + static_cast<std::ptrdiff_t>(end)});
            begin = end;
        }
    }

    static void share(std::vector<SharedLayer>& layers, const DenseLayer& layer,
                      std::size_t member) {
        for (SharedLayer& known : layers)
            if (same_layer(known.layer, layer)) {
                known.members.push_back(member);
                return;
            }
        layers.push_back({layer, {member}});
    }

    // The layers from `begin` on that run side by side: those that leave fewer columns of panels
    // empty together.
    static std::size_t end_of_run(const std::vector<SharedLayer>& layers, std::size_t begin) {
        std::int64_t columns = 0;
        std::int64_t panels_apart = 0;
        std::size_t end = begin;
        for (; end < layers.size(); ++end) {
            const DenseLayer& layer = layers[end].layer;
            if (end > begin && (layer.activation != layers[begin].layer.activation ||
                                columns + layer.outputs > most_columns))
                break;
            columns += layer.outputs;
            panels_apart += num_panels(layer.outputs);
        }
        return num_panels(columns) < panels_apart ? end : begin + 1;
    }

    // Next to the member before it, where that was computed from the same values just now.
    void add_output(const Branch& branch, std::size_t member) {
        const DenseLayer& layer = layer_of(member, branch);
        const std::int64_t column = static_cast<std::int64_t>(member) * definition_.outputs;
        if (!plan_.steps.empty()) {
            NetworkStep& last = plan_.steps.back();
            if (last.to_level == NetworkStep::outputs_level && last.from_level == branch.level &&
                last.from_column == branch.column && last.activation() == layer.activation &&
                last.to_column + last.outputs() == column) {
                last.layers.push_back(layer);
                return;
            }
        }
        plan_.steps.push_back(
            {branch.level, branch.column, NetworkStep::outputs_level, column, {layer}});
    }

    void add_hidden(const Branch& branch, const std::vector<SharedLayer>& layers) {
        NetworkStep step{branch.level, branch.column, branch.level + 1, 0, {}};
        for (const SharedLayer& shared : layers)
            step.layers.push_back(shared.layer);
        widen(branch.level + 1, step.outputs());
        plan_.steps.push_back(step);
        std::int64_t column = 0;
        for (const SharedLayer& shared : layers) {
            expand({branch.level + 1, column, shared.members});
            column += shared.layer.outputs;
        }
    }

    const NetworkDefinition& definition_;
    NetworkPlan plan_;
};

}  // namespace

std::int64_t NetworkStep::outputs() const {
    std::int64_t sum = 0;
    for (const DenseLayer& layer : layers)
        sum += layer.outputs;
    return sum;
}

std::vector<float> NetworkStep::weight() const {
    std::vector<float> all;
    for (const DenseLayer& layer : layers)
        all.insert(all.end(), layer.weight, layer.weight + layer.outputs * layer.inputs);
    return all;
}

std::vector<float> NetworkStep::bias() const {
    std::vector<float> all;
    for (const DenseLayer& layer : layers)
        all.insert(all.end(), layer.bias, layer.bias + layer.outputs);
    return all;
}

NetworkPlan plan_network(const NetworkDefinition& definition) {
    return Planner(definition).plan();
}

}  // namespace sluice::kernels
