// SPDX-License-Identifier: MIT
#include "report/provenance_table.hpp"

#include "report/plot/markup.hpp"

namespace popflow::report {

using plot::element;
using plot::escaped;

std::string provenance_html(const std::vector<std::string>& columns, const std::vector<ProvenanceRow>& rows) {
    std::string head = element("th", "scope=\"col\"", "file");
    for (const std::string& title : columns) head += element("th", "scope=\"col\"", escaped(title));
    std::string lines = element("tr", "", head);
    std::string configs;
    for (const ProvenanceRow& row : rows) {
        std::string line = element("td", "", escaped(row.file));
        for (const std::string& cell : row.cells) line += element("td", "", escaped(cell));
        lines += element("tr", "", line);
        configs +=
            element("details", "",
                    element("summary", "", escaped(row.file)) + element("pre", "", escaped(row.config)));
    }
    return "<h2>Provenance</h2>\n" +
           element("div", "class=\"scroll\"", element("table", "class=\"files\"", lines)) + "\n" +
           element("details", "", "<summary>Configurations</summary>" + configs) + "\n";
}

}  // namespace popflow::report
