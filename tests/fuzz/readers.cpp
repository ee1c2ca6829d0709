// SPDX-License-Identifier: MIT
#include "fuzz/readers.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <numeric>
#include <stdexcept>

#include "anndata/anndata.hpp"
#include "anndata/table_copy.hpp"
#include "core/error.hpp"
#include "eval/problem_results.hpp"
#include "eval/results.hpp"
#include "h5/file.hpp"
#include "import/compensation.hpp"
#include "import/fcs.hpp"
#include "import/image_source.hpp"
#include "import/import_plan.hpp"
#include "import/table_source.hpp"
#include "inspect/inspection_json.hpp"
#include "inspect/inspection_text.hpp"
#include "options/run_config.hpp"
#include "report/problem_report.hpp"
#include "report/report.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"
#include "screen/treatment_vectors.hpp"
#include "support/reports.hpp"
#include "train/checkpoint.hpp"
#include "train/training_table.hpp"

namespace popflow::fuzz {

namespace {

// Reads a file like the verbs inspect, train and predict.
void read_h5ad(const std::string& path) {
    screen::ScreenOptions options;
    options.min_cells = 2;
    const screen::Screen screen = screen::open_screen(path, options);
    (void)inspect::inspection_text(screen, nullptr);
    (void)inspect::inspection_json(screen, nullptr);
    std::vector<std::size_t> all(screen.populations.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    std::vector<std::vector<std::uint64_t>> rows;
    (void)screen::read_populations(screen, all, &rows);
    const anndata::AnnData data(path);
    const anndata::TableCopy obs(data, "obs");
    h5::AtomicFile copy(path + ".copy");  // never committed
    h5::Group root = copy.root();
    h5::Group table = root.create_group("obs");
    const anndata::RowSegment segment{rows.front(), 0};
    obs.create(table, rows.front().size());
    obs.write(table, {&segment, 1});
    (void)obs.obs_names({&segment, 1});
}

// Reads a file like the verb metrics.
void read_cells(const std::string& path) {
    screen::ScreenOptions options;
    options.transform.kind = screen::Transform::Kind::none;
    (void)screen::read_all_cells(path, options);
}

void read_checkpoint(const std::string& path) {
    const train::Checkpoint checkpoint = train::read_checkpoint(path);
    (void)checkpoint.model();
}

void read_results(const std::string& path) {
    const std::vector<eval::Results> results{eval::read_results(path)};
    (void)popflow::support::report(results, report::ReportFormat::text);
    (void)popflow::support::report(results, report::ReportFormat::html);
}

void read_problems(const std::string& path) {
    const std::vector<eval::ProblemResults> results{eval::read_problem_results(path)};
    for (const auto format :
         {report::ReportFormat::text, report::ReportFormat::csv, report::ReportFormat::html})
        (void)report::problem_report(results, format);
}

void read_training(const std::string& path) {
    (void)train::read_training_table(path, 100);
}

// Reads a file like the verb import, all of its data sets in pieces of a few events.
void read_fcs(const std::string& path) {
    std::size_t data_sets = 1;
    for (std::size_t n = 1; n <= data_sets; ++n) {
        const data_import::FcsFile fcs(path, n);
        data_sets = fcs.data_sets();
        data_import::ImportOptions options;
        options.cells = path;
        options.data_set = n;
        options.piece_bytes = 1000;
        const data_import::ImportPlan plan = data_import::plan_import(options);
        // Without the ending .fcs, the import takes a file with a damaged header for a table.
        if (plan.sources.front().kind != data_import::SourceKind::fcs) return;
        try {
            const data_import::Compensation compensation(fcs);
            linalg::Matrix<float> x(1, fcs.parameters().size());
            compensation.apply(x);
        } catch (const core::UserError&) {  // expected for a damaged matrix
        }
        for (const data_import::ImportPiece& piece : plan.pieces) {
            linalg::Matrix<float> x(piece.count, fcs.parameters().size());
            fcs.read(piece.first, x);
        }
    }
}

// Reads an image like the verb import.
void read_image(const std::string& path) {
    data_import::ImportOptions options;
    options.images = {path};
    options.max_side = 100;
    const data_import::ImportPlan plan = data_import::plan_import(options);
    for (const data_import::ImportPiece& piece : plan.pieces)
        (void)data_import::read_pixels(path, piece.count, "a", options);
}

// Reads a table of cells like the verb import, in small pieces.
void read_table(const std::string& path) {
    data_import::ImportOptions options;
    options.cells = path;
    options.piece_bytes = 1000;
    data_import::ImportPlan plan = data_import::plan_import(options);
    std::vector<std::int64_t> whole{0};
    for (std::size_t p = 0; p < plan.pieces.size(); ++p) {
        if (data_import::scan_piece(plan, p).needs_whole_file) whole[0] = 1;
    }
    data_import::read_as_a_whole(plan, whole);
    std::uint64_t first_row = 0;
    for (std::size_t p = 0; p < plan.pieces.size(); ++p) {
        const data_import::PieceContents contents = data_import::scan_piece(plan, p);
        plan.sources[0].has_decimal_comma = !contents.comma_number.empty();
        data_import::TablePieceReader reader(plan, plan.pieces[p], first_row);
        data_import::TableRows rows;
        for (std::uint64_t i = 0; i < contents.rows; ++i) reader.read(1, rows);
        first_row += contents.rows;
    }
    (void)screen::TreatmentVectors::read(path);
}

void read_config(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    options::RunConfig config;
    options::OptionTable table = run_options(config);
    table.parse_text({std::istreambuf_iterator<char>(in), {}}, path);
    (void)table.text(options::training_sections());
}

}  // namespace

const std::vector<Format>& formats() {
    static const std::vector<Format> all{
        {"h5ad", read_h5ad},       {"cells", read_cells},       {"checkpoint", read_checkpoint},
        {"results", read_results}, {"training", read_training}, {"fcs", read_fcs},
        {"table", read_table},     {"config", read_config},     {"problems", read_problems},
        {"image", read_image}};
    return all;
}

const Format& format(const std::string& name) {
    for (const Format& format : formats()) {
        if (format.name == name) return format;
    }
    throw std::invalid_argument("no reader of " + name);
}

}  // namespace popflow::fuzz
