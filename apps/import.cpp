// SPDX-License-Identifier: MIT
#include <cstdio>
#include <set>

#include "core/text.hpp"
#include "mpi/partition.hpp"
#include "mpi/run_collectively.hpp"
#include "options/import_options.hpp"
#include "output_path.hpp"
#include "progress.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Returns the pieces that this rank reads. Both passes use the same pieces, so that the page cache has them
// in the second pass.
std::vector<std::size_t> own_pieces(const data_import::ImportPlan& plan, const mpi::Communicator& comm) {
    std::vector<std::size_t> bytes;
    for (const data_import::ImportPiece& piece : plan.pieces) bytes.push_back(piece.bytes);
    return mpi::partition_by_weight(
        bytes, static_cast<std::size_t>(comm.size()))[static_cast<std::size_t>(comm.rank())];
}

std::vector<std::string> inputs(const options::ImportConfig& config, const data_import::ImportPlan& plan) {
    std::vector<std::string> paths{config.config_file, config.import.sheet};
    for (const data_import::ImportSource& source : plan.sources) paths.push_back(source.path);
    return paths;
}

// Joins the labels of a column of one rank, one per line. Labels come from lines of text, so they contain no
// line break.
std::string joined_lines(const std::set<std::string>& labels) {
    std::string text;
    for (const std::string& label : labels) text += label + "\n";
    return text;
}

// Inverse of joined_lines(): adds the labels of a text to a set.
void add_labels(const std::string& text, std::set<std::string>& labels) {
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        labels.insert(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

// An import in two passes: the first counts rows and collects labels, the second writes the cells.
class Import {
  public:
    Import(const options::ImportConfig& config, const mpi::Communicator& comm)
        : config_(config),
          comm_(comm),
          plan_(data_import::plan_import(config.import)),
          own_(own_pieces(plan_, comm)) {
        check_output(config.output, "output", inputs(config, plan_));
    }

    int run() {
        mpi::run_collectively(comm_, [this] { scan(); });
        const data_import::ImportLayout layout = gather_layout();
        if (layout.rows() == 0) {
            const std::string& from =
                config_.import.sheet.empty() ? config_.import.cells : config_.import.sheet;
            throw core::DataError(from, "", "found no cells");
        }
        std::unique_ptr<h5::AtomicFile> file;
        mpi::run_collectively(comm_, [&] {
            if (comm_.is_root()) file = data_import::create_imported_file(plan_, layout, config_.output);
        });
        mpi::run_collectively(comm_, [&] { write(layout); });
        if (!comm_.is_root()) return done;
        file->commit();
        for (const data_import::ImportNote& note : plan_.notes)
            std::fprintf(stderr, "popflow: note: %s\n", note.line().c_str());
        if (plan_.has_unnamed_columns)
            std::fprintf(stderr, "popflow: note: columns without a name are left out\n");
        std::printf("%s: %s, %s, %s, columns %s\n", config_.output.c_str(),
                    core::counted(layout.rows(), "cell").c_str(),
                    core::counted(plan_.markers.size(), "marker").c_str(),
                    core::counted(plan_.sources.size(), "file").c_str(), columns().c_str());
        return done;
    }

  private:
    // First pass: counts the rows and collects the labels of the pieces of this rank.
    void scan() {
        rows_.assign(plan_.pieces.size(), 0);
        labels_.resize(config_.import.obs.size());
        for (const std::size_t p : own_) {
            const data_import::PieceContents contents = data_import::scan_piece(plan_, p);
            rows_[p] = static_cast<std::int64_t>(contents.rows);
            for (std::size_t k = 0; k < labels_.size(); ++k)
                labels_[k].insert(contents.labels[k].begin(), contents.labels[k].end());
        }
    }

    // Combines the counts and labels of all ranks into the layout of the file. The categories are complete
    // only on rank 0, which writes them. Collective.
    data_import::ImportLayout gather_layout() {
        comm_.sum(rows_);
        data_import::ImportLayout layout;
        layout.first_row.push_back(0);
        for (const std::int64_t n : rows_)
            layout.first_row.push_back(layout.first_row.back() + static_cast<std::uint64_t>(n));
        const std::size_t n_sheet = plan_.obs.size() - labels_.size();
        for (std::size_t k = 0; k < plan_.obs.size(); ++k) {
            std::set<std::string> all;
            if (k < n_sheet) {
                for (const data_import::ImportSource& source : plan_.sources) all.insert(source.labels[k]);
            } else {
                for (const std::string& text : comm_.gather(joined_lines(labels_[k - n_sheet])))
                    add_labels(text, all);
            }
            all.erase("");
            layout.categories.emplace_back(all.begin(), all.end());
        }
        return layout;
    }

    // Second pass: writes the pieces of this rank.
    void write(const data_import::ImportLayout& layout) {
        Progress progress("import", own_.size(), 0, !comm_.is_root());
        constexpr std::size_t group = 16;
        for (std::size_t first = 0; first < own_.size(); first += group) {
            const std::size_t count = std::min(group, own_.size() - first);
            data_import::write_pieces(plan_, layout.first_row, config_.output,
                                      std::span(own_).subspan(first, count));
            progress.update(first + count, "pieces");
        }
    }

    std::string columns() const {
        std::string text;
        for (const std::string& name : plan_.obs) text += (text.empty() ? "" : ", ") + name;
        return text.empty() ? "none" : text;
    }

    const options::ImportConfig& config_;
    const mpi::Communicator& comm_;
    data_import::ImportPlan plan_;
    std::vector<std::size_t> own_;
    std::vector<std::int64_t> rows_;  ///< number of rows of each piece
    std::vector<std::set<std::string>> labels_;
};

}  // namespace

int verb_import(const Arguments& arguments, const mpi::Communicator& comm) {
    options::ImportConfig config;
    const options::OptionTable table = import_options(config);
    const std::string usage =
        "import --sheet S.csv|--cells F.csv --output F.h5ad [options]\n\n"
        "Converts FCS 2.0, 3.0, 3.1 and 3.2 files, one per well, or comma- or tab-separated tables of cells\n"
        "to an AnnData file. Values are those that were measured: logarithmic amplification of integers\n"
        "is undone, gain is not changed, and compensation is applied only with --compensate yes.";
    if (parse_or_help(table, usage, arguments, {options::Section::general}, comm)) return done;
    require(config.output, "output", "F.h5ad");
    return Import(config, comm).run();
}

}  // namespace popflow::apps
