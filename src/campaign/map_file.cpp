#include "campaign/map_file.hpp"

#include "campaign/batch_items.hpp"
#include "core/durable_file.hpp"
#include "core/text.hpp"
#include "queue/publish.hpp"
#include "select/explain.hpp"

#include <fmt/format.h>

#include <vector>

namespace sluice::campaign {

void write_map(const std::string& path, const pool::Pool& pool, const select::Plan& plan,
               const select::Selection& selection, comm::Communicator& world) {
    if (path.empty()) return;
    const std::vector<select::MapLine> lines = select::map_shortlist(pool, plan, selection, world);
    world.agree([&] {
        if (!world.is_root()) return;
        std::vector<RowId> rows;
        for (const select::MapLine& line : lines)
            rows.push_back(line.row);
        const std::vector<std::string> ids = ids_of_rows(pool, rows);
        std::string text = "row,id,score,chosen,distance\n";
        for (std::size_t i = 0; i < lines.size(); ++i)
            text += fmt::format("{},{},{},{},{}\n", lines[i].row, queue::csv_field(ids[i]),
                                number_text(lines[i].score), lines[i].chosen,
                                number_text(lines[i].distance));
        publish_text_file(path, text);
    });
}

}  // namespace sluice::campaign
