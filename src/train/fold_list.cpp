// SPDX-License-Identifier: MIT
#include "train/fold_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <span>

#include "core/checksum.hpp"
#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "screen/splits.hpp"
#include "train/checkpoint_folder.hpp"

namespace popflow::train {

namespace {

constexpr std::size_t max_name = 60;

constexpr std::array state_names{"open", "started", "trained", "scored", "skipped"};

bool is_file(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

bool is_portable(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '.';
}

// Returns the value with all that a file name may not contain replaced by `_`.
std::string cleaned(const std::string& value) {
    std::string name = value.substr(0, max_name);
    std::ranges::replace_if(
        name, [](char c) { return !is_portable(c); }, '_');
    if (name.empty()) return "none";
    // A dot hides a file or is a folder, a minus looks like an option.
    if (name.front() == '.' || name.front() == '-') name.front() = '_';
    if (name.back() == '.') name.back() = '_';
    return name;
}

// Whether the folder of the leave-one-out has, or may have, a file of this name.
bool is_taken(const std::string& name) {
    const std::string lower = core::lower_case(name);
    return std::ranges::any_of(std::array{"config.cfg", "folds.csv", "results.h5", "lock", "log.txt",
                                          "checkpoint", "weights.h5", "training."},
                               [&](const char* own) { return lower.starts_with(own); });
}

std::string checksum_of(const std::string& value) {
    core::Checksum checksum;
    checksum.add(std::string_view(value));
    return checksum.text();
}

std::string csv_field(const std::string& text) {
    const bool is_plain = !text.empty() && text.find_first_of(",\"\r\n;\t|") == std::string::npos &&
                          text.front() != ' ' && text.back() != ' ';
    if (is_plain || text.empty()) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

}  // namespace

const char* fold_state_name(FoldState state) {
    return state_names[static_cast<std::size_t>(state)];
}

std::vector<std::string> fold_folders(const std::vector<std::string>& values) {
    std::map<std::string, std::size_t> without_case;
    for (const std::string& value : values) ++without_case[core::lower_case(value)];
    std::vector<std::string> names;
    for (const std::string& value : values) {
        std::string name = cleaned(value);
        const bool is_own = name == value && !is_taken(name) && without_case[core::lower_case(value)] == 1;
        if (!is_own) name += "-" + checksum_of(value).substr(0, 8);
        // A value may be equal to the name of another one.
        while (std::ranges::any_of(names, [&](const std::string& other) {
            return core::lower_case(other) == core::lower_case(name);
        }))
            name = cleaned(value) + "-" + checksum_of(name + value);
        names.push_back(std::move(name));
    }
    return names;
}

std::string fold_list_path(const std::string& folder) {
    return folder + "/folds.csv";
}

bool is_leave_one_out_folder(const std::string& folder) {
    return is_file(fold_list_path(folder)) || screen::is_leave_one_out(configured_value(folder, "split"));
}

void write_fold_list(const std::string& folder, const std::vector<FoldEntry>& folds) {
    std::string text = "fold,value,folder,status,note\n";
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
        const FoldEntry& entry = folds[fold];
        text += fmt::format("{},{},{},{},{}\n", fold + 1, csv_field(entry.value), csv_field(entry.folder),
                            fold_state_name(entry.state), csv_field(entry.note));
    }
    core::store_file(fold_list_path(folder), std::as_bytes(std::span(text)));
}

std::vector<FoldEntry> read_fold_list(const std::string& folder) {
    if (!is_file(fold_list_path(folder)))
        throw core::DataError(fold_list_path(folder), "",
                              "is missing. Start the leave-one-out again with --resume, which writes it");
    const core::CsvFile file(fold_list_path(folder));
    const std::vector<std::string> expected{"fold", "value", "folder", "status", "note"};
    if (file.columns() != expected)
        throw core::DataError(file.path(), "",
                              "found the columns " + core::joined(file.columns()) +
                                  ", which are not those of a list of folds: " + core::joined(expected) +
                                  ". Start the run again with --resume, which writes the list");
    std::vector<FoldEntry> folds;
    std::vector<std::string> fields;
    std::string row;
    for (core::CsvFile::Rows rows(file); rows.next(row);) {
        file.split(row, "row " + std::to_string(folds.size() + 1), fields);
        FoldEntry entry{.value = fields[1], .folder = fields[2], .note = fields[4]};
        entry.state = fields[3] == fold_state_name(FoldState::skipped)
                          ? FoldState::skipped
                          : fold_state(folder + "/" + entry.folder);
        folds.push_back(std::move(entry));
    }
    return folds;
}

FoldState fold_state(const std::string& folder) {
    if (is_file(folder + "/results.h5")) return FoldState::scored;
    if (is_file(weights_path(folder))) return FoldState::trained;
    return is_file(checkpoint_path(folder)) ? FoldState::started : FoldState::open;
}

std::string fold_list_text(const std::string& folder) {
    const std::vector<FoldEntry> folds = read_fold_list(folder);
    std::vector<std::string> runs;
    std::size_t scored = 0;
    std::size_t all = 0;
    for (const FoldEntry& fold : folds) {
        if (fold.state == FoldState::skipped) continue;
        ++all;
        scored += fold.state == FoldState::scored ? 1 : 0;
        runs.push_back(folder + "/" + fold.folder);
    }
    return fmt::format("{} of {} scored: {}", scored, core::counted(all, "fold"), core::joined(runs, 8));
}

}  // namespace popflow::train
