// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Part of a report about one result file.
struct FileReport {
    std::string file;
    std::vector<Table> tables{};
    std::vector<std::string> notes{};
    std::string html_before{};  ///< HTML above the tables on a page
    std::string html_after{};   ///< HTML below the notes on a page
};

/// Returns the tables and notes of files as text, Markdown or LaTeX. Names the files if there are several.
std::string text_of_files(const std::vector<FileReport>& files, ReportFormat format);

/// Returns files as one self-contained HTML page.
/// @param title  heading, for example `popflow report: predicted images`
/// @param kind   singular of what a file is, for example `result file`
/// @param provenance  provenance_html()
std::string page_of_files(const std::string& title, const std::string& kind,
                          const std::vector<FileReport>& files, const std::string& provenance);

}  // namespace popflow::report
