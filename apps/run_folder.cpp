// SPDX-License-Identifier: MIT
#include "run_folder.hpp"

#include <omp.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "anndata/anndata.hpp"
#include "core/option_effect.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "output_path.hpp"
#include "same_data.hpp"
#include "selection.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/fold_list.hpp"

namespace popflow::apps {

namespace {

bool has_checkpoint(const std::filesystem::path& folder) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file(ignored) && name.starts_with("checkpoint") && name.ends_with(".h5"))
            return true;
    }
    return false;
}

// Checks that the training does not overwrite an earlier one. @throws core::ConfigError if it does
void check_no_overwrite(const options::RunConfig& config) {
    const std::filesystem::path folder = config.output;
    const std::string found = "found the folder '" + config.output + "', which contains ";
    if (train::is_leave_one_out_folder(config.output))
        throw core::ConfigError("output", found + "the folds of a leave-one-out. Choose another folder");
    if (has_checkpoint(folder)) {
        if (config.resume) return;
        throw core::ConfigError("output",
                                found + "a training. Add --resume to continue it, or choose another folder");
    }
    for (const char* name : {"weights.h5", "results.h5"}) {
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(folder / name, ignored)) continue;
        throw core::ConfigError("output",
                                found + "the " + name +
                                    " of an earlier run but no checkpoint to resume from. Choose another "
                                    "folder");
    }
    if (config.resume) return;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(selection_path(config.output), ignored))
        throw core::ConfigError("output",
                                found +
                                    "an unfinished cross-validation of --method auto. Add --resume to "
                                    "continue it, or choose another folder");
    check_output((folder / "config.cfg").string(), "output", {config.config_file}, RunFiles::all);
}

}  // namespace

std::string log_path(const std::string& run) {
    return run + "/log.txt";
}

std::unique_ptr<core::FolderLock> lock_run_folder(const options::RunConfig& config,
                                                  const mpi::Communicator& comm) {
    const std::string& folder = config.output;
    std::unique_ptr<core::FolderLock> lock;
    if (comm.is_root()) {
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        if (error)
            throw core::ConfigError("output",
                                    "cannot create the folder '" + folder + "': " + error.message());
        if (::access(folder.c_str(), W_OK) != 0)
            throw core::ConfigError("output", "cannot write to the folder '" + folder +
                                                  "'. Choose another folder, or change its permissions");
        // mpirun takes two seconds to end the ranks of a killed run, so the lock is waited for.
        lock = std::make_unique<core::FolderLock>(folder, std::chrono::seconds(5));
        check_no_overwrite(config);
    }
    comm.barrier();
    return lock;
}

void check_run_folder(const options::RunConfig& config) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path existing = fs::absolute(config.output, error).lexically_normal();
    while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
    if (!fs::is_directory(existing, error)) {
        throw core::ConfigError("output", "cannot create the folder '" + config.output + "': '" +
                                              existing.string() + "' is a file. Choose another folder");
    }
    if (::access(existing.c_str(), W_OK) != 0)
        throw core::ConfigError("output", "cannot write to the folder '" + existing.string() +
                                              "'. Choose another folder, or change its permissions");
    check_no_overwrite(config);
}

train::Checkpoint open_run(options::RunConfig& config, const options::OptionTable& table,
                           const Arguments& arguments, const std::vector<options::Section>& sections) {
    // config.cfg also has the evaluation options of the run. The checkpoint and then the command line
    // override it.
    const std::string run = config.run;
    const std::string path = run + "/config.cfg";
    if (const auto text = core::file_contents(path)) table.parse_text(*text, path);
    train::Checkpoint checkpoint = predict::read_run(run);
    // A configuration has no line for the defaults of these, so the checkpoint would not override them.
    config.screen.source = {};
    config.screen.size_factor = {};
    config.validation_units = 0;
    config.keep.reset();
    table.parse_text(checkpoint.config, run);
    table.parse(arguments, sections, nullptr);
    options::RunConfig trained;
    run_options(trained).parse_text(checkpoint.config, run);
    if (config.screen.markers != trained.screen.markers ||
        config.screen.exclude_markers != trained.screen.exclude_markers) {
        throw core::ConfigError("markers",
                                "found other markers than those that the run was trained on. Remove "
                                "--markers and --exclude-markers: a trained model keeps its markers");
    }
    if (config.screen.transform.text() != trained.screen.transform.text()) {
        throw core::ConfigError("transform", "found " + config.screen.transform.text() +
                                                 ", but the run was trained with " +
                                                 trained.screen.transform.text() + ". Omit --transform");
    }
    const screen::SizeFactor& size_factor = trained.screen.size_factor;
    if (config.screen.size_factor.text() == "median" && size_factor.kind == screen::SizeFactor::Kind::median)
        config.screen.size_factor = size_factor;
    if (config.screen.size_factor.text() != size_factor.text()) {
        throw core::ConfigError("size-factor", "found " + config.screen.size_factor.text() +
                                                   ", but the run was trained with " + size_factor.text() +
                                                   ". Omit --size-factor");
    }
    if (config.screen.doses == screen::Doses::all && trained.screen.doses == screen::Doses::highest) {
        throw core::ConfigError(
            "doses",
            "found all, but the run was trained only on the highest concentration of each "
            "treatment. Omit --doses, or train a run with --doses all");
    }
    return checkpoint;
}

namespace {

// Checks that the doses of a screen have the unit of the training. Adds a note if one of them has none.
void check_dose_unit(screen::Screen& screen, const train::Checkpoint& checkpoint) {
    const core::Quantity trained = checkpoint.conditions.dose_quantity();
    if (checkpoint.conditions.doses() != screen::Doses::all || screen.dose_quantity == trained) return;
    const std::string unit = core::unit_name(screen.dose_quantity);
    const std::string trained_unit = core::unit_name(trained);
    if (!unit.empty() && !trained_unit.empty()) {
        const auto mapped = screen.options.columns.find("concentration");
        throw core::DataError(
            screen.file, "obs/" + (mapped == screen.options.columns.end() ? "concentration" : mapped->second),
            "found doses in " + unit + ", but the run was trained on doses in " + trained_unit +
                ". Give data with doses that can be converted into " + trained_unit);
    }
    if (unit.empty()) {
        screen.notes.push_back("doses without a unit are read in " + trained_unit +
                               ", the unit of the training");
    } else if (screen.fingerprint != checkpoint.data_fingerprint) {
        screen.notes.push_back("the run was trained on doses without a unit, and the data have doses in " +
                               unit + ": they are compared as numbers");
    }
}

}  // namespace

screen::Screen open_run_screen(const options::RunConfig& config, const train::Checkpoint& checkpoint,
                               bool need_pairs) {
    const std::vector<std::string> found = anndata::AnnData(config.data, config.screen.source).var_names();
    for (const std::string& marker : checkpoint.markers) {
        if (std::ranges::find(found, marker) != found.end()) continue;
        throw core::DataError(
            config.data,
            config.screen.source.kind == anndata::MatrixSource::Kind::x ? "var" : config.screen.source.path(),
            "the markers are not those that the run was trained on: `" + marker + "` is missing" +
                core::did_you_mean(marker, found) + ", found " + core::joined(found));
    }
    screen::ScreenOptions options = config.screen;
    options.markers = checkpoint.markers;
    options.exclude_markers.clear();
    options.need_pairs = need_pairs && !options.unpaired;
    if (!need_pairs) options.split_column.clear();  // predictions do not need a split
    screen::Screen screen = screen::open_screen(config.data, options);
    if (need_pairs) check_dose_unit(screen, checkpoint);
    return screen;
}

namespace {

// Returns whether the data file and the options that a training has are those of the run.
bool has_trained_options(const options::RunConfig& config, const options::OptionTable& table,
                         const train::Checkpoint& checkpoint) {
    return core::key_values(checkpoint.config)["data"] == config.data &&
           core::changed_options(table.text(options::training_sections()), checkpoint.config, table.effects())
               .empty();
}

}  // namespace

screen::Screen open_same_run_screen(const options::RunConfig& config, const options::OptionTable& table,
                                    const train::Checkpoint& checkpoint, bool need_pairs,
                                    const mpi::Communicator& comm) {
    if (comm.size() > 1) {
        using enum options::Section;
        mpi::check_same_on_all_ranks(comm, "configuration",
                                     table.text(options::training_sections()) +
                                         table.text({transport, options::Section::evaluate, predict}));
        mpi::check_same_on_all_ranks(comm, "weights of the run", train::checkpoint_digest(checkpoint));
    }
    screen::Screen screen =
        open_same_screen(comm, config.data, [&] { return open_run_screen(config, checkpoint, need_pairs); });
    if (need_pairs && screen.fingerprint != checkpoint.data_fingerprint &&
        has_trained_options(config, table, checkpoint))
        screen.notes.push_back(
            config.data + " is not as it was at the training: its cells, labels or markers have changed");
    return screen;
}

predict::Provenance provenance(const options::RunConfig& config, const train::Checkpoint& checkpoint,
                               const screen::Screen& screen, const std::string& config_text,
                               const mpi::Communicator& comm) {
    std::map<std::string, std::string> values = core::key_values(config_text);
    return {.method = checkpoint.family->name(),
            .base = values["base"],
            .knn = std::stoull(values["knn"]),
            .seed = config.train.seed,
            .steps = checkpoint.adam.step,
            .best_step = checkpoint.best.step,
            .split = config.split,
            .precision = config.precision == options::PrecisionChoice::bf16 ? "bf16" : "fp32",
            .config = config_text,
            .data_fingerprint = screen.fingerprint,
            .ranks = comm.size(),
            .threads = omp_get_max_threads(),
            .recipe = values["recipe"],
            .condition = values["condition"],
            .latent = checkpoint.latent.size(),
            .latent_share = checkpoint.latent.total_share(),
            .selection = checkpoint.selection};
}

}  // namespace popflow::apps
