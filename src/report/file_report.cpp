// SPDX-License-Identifier: MIT
#include "report/file_report.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/version.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/page.hpp"
#include "report/report_formats.hpp"
#include "report/report_page.hpp"

namespace popflow::report {

using plot::element;
using plot::escaped;

std::string text_of_files(const std::vector<FileReport>& files, ReportFormat format) {
    const bool is_latex = format == ReportFormat::latex;
    const bool is_markdown = format == ReportFormat::markdown;
    const auto write_table = is_latex ? latex_table : is_markdown ? markdown_table : text_table;
    const std::string prefix = is_latex ? "% " : is_markdown ? "" : "  ";
    const std::string end = is_markdown ? "\n\n" : "\n";
    std::string text;
    for (const FileReport& file : files) {
        if (!text.empty()) text += "\n";
        if (files.size() > 1) text += prefix + file.file + end + "\n";
        for (const Table& table : file.tables) text += write_table(table) + "\n";
        for (const std::string& note : file.notes) text += prefix + note + end;
    }
    return text;
}

std::string page_of_files(const std::string& title, const std::string& kind,
                          const std::vector<FileReport>& files, const std::string& provenance) {
    std::string body =
        element("h1", "", escaped(title)) + "\n" +
        element("p", "class=\"soft\"",
                fmt::format("{}, written by popflow {} ({})", core::counted(files.size(), kind),
                            core::version(), escaped(core::commit()))) +
        "\n";
    for (const FileReport& file : files) {
        body += element("h2", "", escaped(file.file)) + "\n" + file.html_before;
        for (const Table& table : file.tables) body += html_table(table);
        std::string notes;
        for (const std::string& note : file.notes) notes += element("li", "", escaped(note));
        body += element("ul", "class=\"notes\"", notes) + "\n" + file.html_after;
    }
    return plot::page(title, body + provenance);
}

}  // namespace popflow::report
