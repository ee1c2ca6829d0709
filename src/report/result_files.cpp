// SPDX-License-Identifier: MIT
#include "report/result_files.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "core/natural_order.hpp"
#include "core/text.hpp"
#include "eval/results.hpp"
#include "predict/run_model.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/fold_list.hpp"

namespace popflow::report {

namespace {

namespace fs = std::filesystem;

std::string canonical_path(const fs::path& path) {
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(path, error);
    return error ? path.string() : canonical.string();
}

struct FoundFile {
    std::string path;
    eval::ResultKind kind;
};

// Walks through a folder and the folders below it.
class FolderSearch {
  public:
    void visit(const fs::path& folder) {
        if (!visited_.insert(canonical_path(folder)).second) return;
        std::vector<std::string> files;
        std::vector<std::string> folders;
        std::error_code error;
        for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
            std::error_code ignored;
            const std::string name = at->path().filename().string();
            if (at->is_directory(ignored)) folders.push_back(name);
            if (at->is_regular_file(ignored) && name.ends_with(".h5")) files.push_back(name);
        }
        if (error) {
            throw core::ConfigError("report",
                                    "cannot read the folder '" + folder.string() + "': " + error.message());
        }
        const bool is_leave_one_out = train::is_leave_one_out_folder(folder.string());
        if (std::ranges::find(files, "results.h5") != files.end()) {
            const std::string file = (folder / "results.h5").string();
            found.push_back({file, eval::result_kind(file)});
        } else if (is_leave_one_out) {
            unjoined.push_back(folder.string());
        } else if (predict::is_run_folder(folder.string())) {
            unfinished.push_back(folder.string());
        } else {
            for (const std::string& name : core::sorted_labels(files)) {
                const std::string file = (folder / name).string();
                const eval::ResultKind kind = eval::result_kind(file);
                if (kind != eval::ResultKind::unknown && kind != eval::ResultKind::prediction)
                    found.push_back({file, kind});
            }
        }
        if (is_leave_one_out) return;  // its results are those of its folds
        for (const std::string& name : core::sorted_labels(folders)) visit(folder / name);
    }

    std::vector<FoundFile> found;
    std::vector<std::string> unfinished;  ///< run folders without results
    std::vector<std::string> unjoined;    ///< folders of leave-one-outs without results of all folds

  private:
    std::set<std::string> visited_;
};

// Returns a command that scores a run.
std::string evaluate_command(const std::string& run) {
    // Starts are scored with the problems that they solve.
    if (train::configured_value(run, "method") == "meta-ot")
        return "popflow ot --start " + core::shell_word(run) +
               " --output results.h5 and the options of the problems";
    return "popflow evaluate --run " + core::shell_word(run) + " --output " +
           core::shell_word(run + "/results.h5");
}

// Returns what is missing in the folder of a leave-one-out, and what to do.
std::string unjoined_text(const std::string& folder) {
    return "the leave-one-out '" + folder + "' has no results.h5 yet (" + train::fold_list_text(folder) +
           "). Finish it with popflow run, the same options and --resume, or give the folders of folds";
}

void search_folder(const std::string& folder, ResultFiles& result, std::vector<FoundFile>& found) {
    FolderSearch search;
    search.visit(folder);
    if (search.found.empty() && !search.unjoined.empty())
        throw core::ConfigError("report", unjoined_text(search.unjoined.front()));
    const bool is_run = search.unfinished.size() == 1 && search.unfinished.front() == folder;
    if (search.found.empty() && is_run) {
        throw core::ConfigError("report", "the run '" + folder + "' has no results.h5 yet. Create it with " +
                                              evaluate_command(folder));
    }
    if (search.found.empty()) {
        const std::string runs = search.unfinished.empty()
                                     ? ""
                                     : ", only " + core::counted(search.unfinished.size(), "run") +
                                           " without results.h5. Create it with " +
                                           evaluate_command(search.unfinished.front());
        throw core::ConfigError("report", "no result file in the folder '" + folder +
                                              "' or in the folders below it" +
                                              (runs.empty() ? ". Give a run folder, a folder of runs or a "
                                                              "file written by popflow evaluate or ot"
                                                            : runs));
    }
    if (search.found.size() > 1 || search.found.front().path != (fs::path(folder) / "results.h5").string())
        result.notes.push_back(folder + ": " + core::counted(search.found.size(), "result file"));
    if (!search.unfinished.empty()) {
        result.notes.push_back("left out " + core::counted(search.unfinished.size(), "run") +
                               " without results.h5: " + core::joined(search.unfinished, 5));
    }
    for (const std::string& unjoined : search.unjoined)
        result.notes.push_back("left out: " + unjoined_text(unjoined));
    found.insert(found.end(), search.found.begin(), search.found.end());
}

}  // namespace

ResultFiles find_result_files(const std::vector<std::string>& paths) {
    ResultFiles result;
    std::set<std::string> seen;
    for (const std::string& path : paths) {
        std::vector<FoundFile> found;
        std::error_code ignored;
        if (fs::is_directory(path, ignored)) {
            search_folder(path, result, found);
        } else {
            found.push_back({path, eval::result_kind(path)});
        }
        for (const FoundFile& file : found) {
            if (!seen.insert(canonical_path(file.path)).second) continue;
            result.files.push_back(file.path);
            result.kinds.push_back(file.kind);
        }
    }
    return result;
}

eval::ResultKind common_kind(const ResultFiles& found) {
    const auto unknown = std::ranges::find(found.kinds, eval::ResultKind::unknown);
    if (unknown != found.kinds.end())
        eval::read_results(found.files[static_cast<std::size_t>(unknown - found.kinds.begin())]);  // throws
    const eval::ResultKind first = found.kinds.at(0);
    const auto other =
        std::ranges::find_if(found.kinds, [&](eval::ResultKind kind) { return kind != first; });
    if (other == found.kinds.end()) return first;
    throw core::ConfigError("report", "found '" + found.files.front() + "' with " + eval::kind_text(first) +
                                          " and '" +
                                          found.files[static_cast<std::size_t>(other - found.kinds.begin())] +
                                          "' with " + eval::kind_text(*other) + ". Report them separately");
}

}  // namespace popflow::report
