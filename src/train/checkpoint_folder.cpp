// SPDX-License-Identifier: MIT
#include "train/checkpoint_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "core/stored_file.hpp"
#include "core/text.hpp"

namespace popflow::train {

namespace {

namespace fs = std::filesystem;

std::string path_of_step(const std::string& folder, std::uint64_t step) {
    return fmt::format("{}/checkpoint-{}.h5", folder, step);
}

// Returns the number N of a file name `checkpoint-N.h5`, empty for other names.
std::optional<std::uint64_t> step_of(const std::string& name) {
    const std::string prefix = "checkpoint-";
    const std::string suffix = ".h5";
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) return {};
    const char* first = name.data() + prefix.size();
    const char* last = name.data() + name.size() - suffix.size();
    std::uint64_t step = 0;
    if (first >= last) return {};
    const auto [end, error] = std::from_chars(first, last, step);
    if (error != std::errc() || end != last) return {};
    return step;
}

std::vector<std::uint64_t> stored_steps(const std::string& folder) {
    std::vector<std::uint64_t> steps;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (const auto step = step_of(at->path().filename().string())) steps.push_back(*step);
    }
    std::ranges::sort(steps);
    return steps;
}

}  // namespace

std::string checkpoint_path(const std::string& folder) {
    return folder + "/checkpoint.h5";
}

std::string weights_path(const std::string& folder) {
    return folder + "/weights.h5";
}

std::string configured_value(const std::string& folder, const std::string& option) {
    return core::key_values(core::file_contents(folder + "/config.cfg").value_or(""))[option];
}

std::optional<FoundCheckpoint> newest_checkpoint(const std::string& folder) {
    std::vector<std::string> paths;
    std::error_code ignored;
    if (fs::exists(checkpoint_path(folder), ignored)) paths.push_back(checkpoint_path(folder));
    std::vector<std::uint64_t> steps = stored_steps(folder);
    std::ranges::sort(steps, std::greater());
    for (const std::uint64_t step : steps) paths.push_back(path_of_step(folder, step));
    if (paths.empty()) return {};
    std::optional<core::DataError> first;
    FoundCheckpoint found;
    for (const std::string& path : paths) {
        try {
            found.checkpoint = read_checkpoint(path);
            found.path = path;
            return found;
        } catch (const core::DataError& error) {
            found.skipped.emplace_back(error.what());
            if (!first) first = error;
        }
    }
    throw core::DataError(*first);
}

CheckpointFolder::CheckpointFolder(std::string folder, std::size_t keep)
    : folder_(std::move(folder)), keep_(std::max<std::size_t>(1, keep)) {
    core::check_can_create(checkpoint_path(folder_));
}

void CheckpointFolder::resume_from(const FoundCheckpoint& found) {
    const std::uint64_t step = found.checkpoint.adam.step;
    const bool newest = found.path == checkpoint_path(folder_);
    if (newest) newest_ = step;
    for (const std::uint64_t old : stored_steps(folder_)) {
        if (old < step || (old == step && !newest)) kept_.push_back(old);
    }
}

bool CheckpointFolder::is_busy() const {
    return pending_.valid() && pending_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void CheckpointFolder::wait() {
    if (pending_.valid()) pending_.get();
}

void CheckpointFolder::check() {
    if (!is_busy()) wait();
}

void CheckpointFolder::store(std::vector<File> others, std::uint64_t step, std::vector<std::byte> bytes) {
    wait();
    pending_ =
        std::async(std::launch::async, [this, others = std::move(others), step, bytes = std::move(bytes)] {
            for (const File& file : others) core::store_file(file.path, file.bytes);
            store_checkpoint(step, bytes);
        });
}

void CheckpointFolder::store_others(std::vector<File> others) {
    if (is_busy()) return;
    wait();
    pending_ = std::async(std::launch::async, [others = std::move(others)] {
        for (const File& file : others) core::store_file(file.path, file.bytes);
    });
}

void CheckpointFolder::store_checkpoint(std::uint64_t step, const std::vector<std::byte>& bytes) {
    const std::string path = checkpoint_path(folder_);
    core::write_temporary(path, bytes);
    keep_previous(step);
    try {
        core::rename_into_place(path);
    } catch (...) {
        ::unlink(core::temporary_name(path).c_str());
        throw;
    }
    newest_ = step;
    remove_old();
}

void CheckpointFolder::keep_previous(std::uint64_t step) {
    if (keep_ == 1 || !newest_ || *newest_ >= step) return;
    const std::string path = checkpoint_path(folder_);
    const std::string kept = path_of_step(folder_, *newest_);
    ::unlink(kept.c_str());
    // On a file system without hard links the file is renamed. Until the new one is in place, there is no
    // checkpoint.h5, and newest_checkpoint() finds the kept file.
    if (::link(path.c_str(), kept.c_str()) != 0 && std::rename(path.c_str(), kept.c_str()) != 0) return;
    kept_.push_back(*newest_);
}

void CheckpointFolder::remove_old() {
    while (kept_.size() > keep_ - 1) kept_.erase(kept_.begin());
    for (const std::uint64_t step : stored_steps(folder_)) {
        if (std::ranges::find(kept_, step) == kept_.end()) ::unlink(path_of_step(folder_, step).c_str());
    }
}

}  // namespace popflow::train
