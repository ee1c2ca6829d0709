// SPDX-License-Identifier: MIT
#include "output_path.hpp"

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "predict/run_model.hpp"

namespace popflow::apps {

namespace {

namespace fs = std::filesystem;

// Whether two paths name the same file, which need not exist.
bool same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    if (fs::equivalent(a, b, error)) return true;
    const auto canonical = [&](const std::string& path) {
        return fs::weakly_canonical(fs::absolute(path, error), error);
    };
    return canonical(a) == canonical(b) && !error;
}

bool belongs_to_run(const std::string& name, RunFiles allowed) {
    if (name == "results.h5") return allowed == RunFiles::none;
    if (name.starts_with("checkpoint") && name.ends_with(".h5")) return true;
    static const std::vector<std::string> names{"config.cfg", "training.h5",  "training.csv",
                                                "weights.h5", "log.txt",      "validation.csv",
                                                "lock",       "selection.h5", "folds.csv"};
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

void check_output(const std::string& path, const std::string& option, const std::vector<std::string>& inputs,
                  RunFiles allowed) {
    if (path.empty()) return;
    for (const std::string& input : inputs) {
        if (input.empty() || !same_file(path, input)) continue;
        throw core::ConfigError(option,
                                "found '" + path +
                                    "', which would overwrite a file that this command uses. Choose another "
                                    "path");
    }
    if (allowed == RunFiles::all) return;
    std::error_code error;
    const fs::path full = fs::absolute(path, error).lexically_normal();
    const std::string folder = full.parent_path().string();
    if (!belongs_to_run(full.filename().string(), allowed) || !predict::is_run_folder(folder)) return;
    throw core::ConfigError(option, "found '" + path + "', which belongs to the run in " + folder +
                                        ". Choose another name or another folder");
}

}  // namespace popflow::apps
