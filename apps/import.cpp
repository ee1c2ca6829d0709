// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <cstring>
#include <set>

#include "console.hpp"
#include "core/csv.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
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

// Joins the labels of a column of one rank. Each ends with a zero byte, which no label contains.
std::string joined_labels(const std::set<std::string>& labels) {
    std::string text;
    for (const std::string& label : labels) text.append(label).push_back('\0');
    return text;
}

// Inverse of joined_labels(): adds the labels of a text to a set.
void add_labels(const std::string& text, std::set<std::string>& labels) {
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\0', begin);
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
        while (some_need_the_whole_file()) {
            own_ = own_pieces(plan_, comm_);
            mpi::run_collectively(comm_, [this] { scan(); });
        }
        find_decimal_commas();
        make_names_unique();
        const data_import::ImportLayout layout = gather_layout();
        if (layout.rows() == 0) {
            throw core::DataError(config_.import.input(), "", "found no cells");
        }
        std::unique_ptr<h5::AtomicFile> file;
        mpi::run_collectively(comm_, [&] {
            if (comm_.is_root()) file = data_import::create_imported_file(plan_, layout, config_.output);
        });
        mpi::run_collectively(comm_, [&] { write(layout); });
        if (!comm_.is_root()) return done;
        file->commit();
        for (const data_import::ImportNote& note : plan_.notes)
            print_message("popflow: note: %s", core::printable(note.line()).c_str());
        if (plan_.has_unnamed_columns) print_message("popflow: note: columns without a name are left out");
        print_result("%s: %s, %s, %s, columns %s\n", config_.output.c_str(),
                     core::counted(layout.rows(), "cell").c_str(),
                     core::counted(plan_.markers.size(), "marker").c_str(),
                     core::counted(plan_.sources.size(), "file").c_str(), columns().c_str());
        return done;
    }

  private:
    // First pass: counts the rows and collects the labels of the pieces of this rank.
    void scan() {
        rows_.assign(plan_.pieces.size(), 0);
        name_length_.assign(plan_.pieces.size(), 0);
        whole_.assign(plan_.sources.size(), 0);
        commas_.assign(plan_.sources.size(), "");
        ambiguous_.assign(plan_.sources.size(), "");
        names_.clear();
        labels_.assign(config_.import.obs.size(), {});
        missing_.assign(config_.import.obs.size(), 0);
        for (const std::size_t p : own_) {
            data_import::PieceContents contents = data_import::scan_piece(plan_, p);
            const std::size_t source = plan_.pieces[p].source;
            rows_[p] = static_cast<std::int64_t>(contents.rows);
            name_length_[p] = static_cast<std::int64_t>(contents.name_length);
            if (contents.needs_whole_file) whole_[source] = 1;
            if (!contents.comma_number.empty()) commas_[source] = contents.comma_number;
            if (!contents.ambiguous_number.empty()) ambiguous_[source] = contents.ambiguous_number;
            for (const std::uint64_t hash : contents.name_hashes) names_.push_back({hash, source});
            for (std::size_t k = 0; k < labels_.size(); ++k) {
                labels_[k].insert(contents.labels[k].begin(), contents.labels[k].end());
                missing_[k] += static_cast<std::int64_t>(contents.missing[k]);
            }
        }
    }

    // Whether files have to be scanned again as a whole, because rows of them span lines. Collective.
    bool some_need_the_whole_file() {
        comm_.sum(whole_);
        if (std::ranges::count(whole_, 0) == static_cast<std::ptrdiff_t>(whole_.size())) return false;
        data_import::read_as_a_whole(plan_, whole_);
        return true;
    }

    // Decides for each file whether its numbers have a decimal comma. Collective.
    void find_decimal_commas() {
        if (config_.import.decimal != data_import::Decimal::automatic) return;
        std::vector<std::int64_t> commas;
        for (const std::string& number : commas_) commas.push_back(number.empty() ? 0 : 1);
        comm_.sum(commas);
        for (std::size_t s = 0; s < plan_.sources.size(); ++s) {
            plan_.sources[s].has_decimal_comma = commas[s] > 0;
            if (commas[s] > 0)
                plan_.notes.push_back(
                    {.text = "numbers have a decimal comma", .path = plan_.sources[s].path});
        }
        std::string own;
        for (std::size_t s = 0; s < plan_.sources.size() && own.empty(); ++s) {
            if (!ambiguous_[s].empty() && commas[s] == 0) own = std::to_string(s) + " " + ambiguous_[s];
        }
        const std::vector<std::string> all = comm_.gather(own);
        mpi::run_collectively(comm_, [&] {
            for (const std::string& found : all) {
                if (found.empty()) continue;
                const std::size_t blank = found.find(' ');
                const std::string number = found.substr(blank + 1);
                throw core::DataError(plan_.sources[std::stoull(found)].path, "",
                                      core::ambiguous_comma(number) +
                                          ", or add --decimal comma if the comma is the decimal point");
            }
        });
    }

    // Appends a number to the names of the cells if files share names. Collective.
    void make_names_unique() {
        std::string own(names_.size() * sizeof(Name), '\0');
        if (!names_.empty()) std::memcpy(own.data(), names_.data(), own.size());
        std::vector<Name> all;
        for (const std::string& part : comm_.gather(own)) {
            const std::size_t before = all.size();
            all.resize(before + part.size() / sizeof(Name));
            if (!part.empty()) std::memcpy(&all[before], part.data(), part.size());
        }
        std::ranges::sort(all);
        std::vector<std::int64_t> found{0, 0};  // whether names repeat, and whether they repeat within a file
        for (std::size_t i = 1; i < all.size(); ++i) {
            if (all[i].hash != all[i - 1].hash) continue;
            found[all[i].source == all[i - 1].source ? 1 : 0] = 1;
        }
        comm_.sum(found);
        if (found[0] != 0) {
            for (std::size_t s = 0; s < plan_.sources.size(); ++s) {
                if (plan_.sources[s].has_row_names) plan_.sources[s].name_suffix = "-" + std::to_string(s);
            }
            plan_.notes.push_back(
                {.text =
                     "several files have cells of the same name: -0, -1, ... is appended, the number of the "
                     "file"});
        }
        if (found[1] != 0) plan_.notes.push_back({.text = "several cells of a file have the same name"});
        names_.clear();
    }

    // Combines the counts and labels of all ranks into the layout of the file. The categories are complete
    // only on rank 0, which writes them. Collective.
    data_import::ImportLayout gather_layout() {
        comm_.sum(rows_);
        comm_.sum(name_length_);
        comm_.sum(missing_);
        data_import::ImportLayout layout;
        for (std::size_t p = 0; p < plan_.pieces.size(); ++p) {
            const std::size_t length = static_cast<std::size_t>(name_length_[p]) +
                                       plan_.sources[plan_.pieces[p].source].name_suffix.size();
            layout.name_length = std::max(layout.name_length, name_length_[p] == 0 ? 0 : length);
        }
        for (std::size_t k = 0; k < missing_.size(); ++k) {
            if (missing_[k] == 0) continue;
            plan_.notes.push_back(
                {.text = fmt::format("column {}: {} such as NA read as missing", config_.import.obs[k],
                                     core::counted(static_cast<std::size_t>(missing_[k]), "label"))});
        }
        layout.first_row.push_back(0);
        for (const std::int64_t n : rows_)
            layout.first_row.push_back(layout.first_row.back() + static_cast<std::uint64_t>(n));
        const std::size_t n_sheet = plan_.obs.size() - labels_.size();
        for (std::size_t k = 0; k < plan_.obs.size(); ++k) {
            std::set<std::string> all;
            if (k < n_sheet) {
                for (const data_import::ImportSource& source : plan_.sources) all.insert(source.labels[k]);
            } else {
                for (const std::string& text : comm_.gather(joined_labels(labels_[k - n_sheet])))
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
        for (const auto* names : {&plan_.obs, &plan_.places}) {
            for (const std::string& name : *names) text += (text.empty() ? "" : ", ") + name;
        }
        return text.empty() ? "none" : text;
    }

    // Hash of the name of a cell, and its file.
    struct Name {
        std::uint64_t hash;
        std::uint64_t source;
        auto operator<=>(const Name&) const = default;
    };

    const options::ImportConfig& config_;
    const mpi::Communicator& comm_;
    data_import::ImportPlan plan_;
    std::vector<std::size_t> own_;
    std::vector<std::int64_t> rows_;         ///< number of rows of each piece
    std::vector<std::int64_t> name_length_;  ///< length of the longest row name of each piece
    std::vector<std::int64_t> whole_;        ///< for each file, whether it has to be read as a whole
    std::vector<std::string> commas_;        ///< a number with a decimal comma of each file
    std::vector<std::string> ambiguous_;     ///< a number of each file whose comma may separate thousands
    std::vector<std::int64_t> missing_;      ///< number of texts such as NA in each column of --obs
    std::vector<Name> names_;
    std::vector<std::set<std::string>> labels_;
};

}  // namespace

int verb_import(const Arguments& arguments, const mpi::Communicator& comm) {
    options::ImportConfig config;
    const options::OptionTable table = import_options(config);
    const std::string usage =
        "import --sheet S.csv|--cells F.csv|--images FOLDER --output F.h5ad [options]\n\n"
        "Converts FCS 2.0, 3.0, 3.1 and 3.2 files, one per well, or tables of cells (CSV, TSV, also .gz)\n"
        "to an AnnData file. Values are those that were measured: logarithmic amplification of integers\n"
        "is undone, gain is not changed, and compensation is applied only with --compensate yes.\n\n"
        "Images (PNG, JPEG) become populations of pixels with the markers red, green and blue, sRGB values\n"
        "in [0, 1]. --images takes folders and files, as in --images photos/*.jpg. A sheet may name images "
        "too.\n"
        "popflow export writes predicted pixels as images.";
    std::vector<std::string> further;
    if (parse_or_help(table, usage, arguments, {options::Section::general}, comm, &further)) return done;
    if (!further.empty() && config.import.images.empty())
        throw core::ConfigError("usage", "unexpected argument '" + further.front() + "'");
    std::ranges::move(further, std::back_inserter(config.import.images));
    require(config.output, "output", "F.h5ad");
    return Import(config, comm).run();
}

}  // namespace popflow::apps
