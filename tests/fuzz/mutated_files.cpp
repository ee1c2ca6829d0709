// SPDX-License-Identifier: MIT
// Reads mutated files, each in its own process, and counts the outcomes. Each file must be read, or
// rejected with a message that starts with its path. A file fails the test if its reader
//   - crashes or hangs,
//   - throws any other error,
//   - uses more than twice the memory of the valid files.
// Usage: mutated_files GOLDEN_FOLDER [-n FILES] [--seed S] [--format NAME] [--part K --parts N] [--verbose]
//        mutated_files GOLDEN_FOLDER --only I [--seed S] [--format NAME] [--keep FILE] [--no-guard]
//        [--verbose]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "fuzz/mutations.hpp"
#include "fuzz/readers.hpp"
#include "fuzz/trial.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
namespace fs = std::filesystem;
using namespace popflow::fuzz;

namespace {

struct Options {
    std::string golden;
    std::size_t files = 2000;
    std::uint64_t seed = 1;
    std::size_t only = static_cast<std::size_t>(-1);  ///< number of the only file to test. -1 for all files
    std::size_t part = 0;                             ///< part to test. File i belongs to part i mod `parts`
    std::size_t parts = 1;
    std::string keep;     ///< path of a copy of the mutated file. Empty for no copy
    std::string format;   ///< name of a format of readers.hpp. Empty for all formats
    bool guarded = true;  ///< whether to read with a file guard
    bool verbose = false;
};

Options parse(int argc, char** argv) {
    Options options;
    if (argc < 2) {
        std::fprintf(
            stderr,
            "usage: mutated_files GOLDEN_FOLDER [-n FILES] [--seed S] [--format NAME] [--only I --keep "
            "FILE]\n");
        std::exit(2);
    }
    options.golden = argv[1];
    for (int k = 2; k < argc; ++k) {
        const std::string name = argv[k];
        const auto value = [&] { return k + 1 < argc ? std::string(argv[++k]) : std::string(); };
        if (name == "-n") options.files = std::strtoull(value().c_str(), nullptr, 10);
        if (name == "--seed") options.seed = std::strtoull(value().c_str(), nullptr, 10);
        if (name == "--only") options.only = std::strtoull(value().c_str(), nullptr, 10);
        if (name == "--part") options.part = std::strtoull(value().c_str(), nullptr, 10);
        if (name == "--parts")
            options.parts = std::max<std::size_t>(1, std::strtoull(value().c_str(), nullptr, 10));
        if (name == "--keep") options.keep = value();
        if (name == "--format") options.format = format(value()).name;
        if (name == "--no-guard") options.guarded = false;
        if (name == "--verbose") options.verbose = true;
    }
    return options;
}

// Mutates the structure or the bytes of a file and returns a description of the change. Only HDF5 files have
// a structure. The keywords of an FCS file are mutated as text.
std::string mutate(const Seed& seed, const std::string& path, const std::string& victim, Draws draws) {
    const bool is_hdf5 =
        seed.format != "fcs" && seed.format != "table" && seed.format != "config" && seed.format != "image";
    const bool is_structure = (is_hdf5 || seed.format == "fcs") && draws.below(2) == 0;
    if (is_structure && is_hdf5) return mutate_structure(path, victim, draws);
    std::ifstream in(path, std::ios::binary);
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
    std::string change = is_structure ? mutate_text(bytes, draws) : mutate_bytes(bytes, draws);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return change;
}

// Returns why an outcome fails the test, or an empty text if it passes.
std::string describe_failure(const Outcome& outcome, const std::string& path, double max_megabytes) {
    if (outcome.megabytes > max_megabytes) return std::to_string(outcome.megabytes) + " MB of memory";
    switch (outcome.kind) {
        case Outcome::Kind::read:
            return "";
        case Outcome::Kind::refused:
            if (outcome.message.rfind(path + ": ", 0) == 0) return "";
            return "a message that does not begin with the file: " + outcome.message;
        case Outcome::Kind::failed:
            return "not the user's error: " + outcome.message;
        case Outcome::Kind::crashed:
            return "crashed: " + outcome.message;
        case Outcome::Kind::hung:
            return "hung: " + outcome.message;
    }
    return "?";
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    const popflow::support::TemporaryFolder folder;
    // This process does not use libhdf5, so that its children inherit an uninitialised library.
    const std::string own_files = folder.file("own");
    fs::create_directory(own_files);
    (void)run_in_child([&] { write_seeds(own_files); }, 60, false);
    std::vector<Seed> valid = seeds(options.golden, own_files);

    double valid_megabytes = 0;
    for (const Seed& seed : valid) {
        const std::string path = folder.file("valid.h5");
        fs::copy_file(seed.path, path, fs::copy_options::overwrite_existing);
        const Outcome outcome = run_in_child([&] { format(seed.format).read(path); }, 20, options.guarded);
        valid_megabytes = std::max(valid_megabytes, outcome.megabytes);
        if (outcome.kind != Outcome::Kind::read) {
            std::fprintf(stderr, "the valid file %s is not read: %s\n", seed.path.c_str(),
                         outcome.message.c_str());
            return 1;
        }
    }

    if (!options.format.empty())
        std::erase_if(valid, [&](const Seed& seed) { return seed.format != options.format; });
    std::map<std::string, std::size_t> counts;
    std::size_t failures = 0;
    for (std::size_t i = 0; i < options.files; ++i) {
        if (options.only != static_cast<std::size_t>(-1) && i != options.only) continue;
        if (i % options.parts != options.part) continue;
        Draws draws(options.seed * 1000003 + i);
        const Seed& seed = draws.choose(valid);
        const std::string path = folder.file("mutated.h5");
        fs::copy_file(seed.path, path, fs::copy_options::overwrite_existing);
        const Outcome mutation = run_in_child(
            [&] { throw popflow::core::UserError(mutate(seed, path, valid.front().path, draws)); }, 20,
            false);
        if (!options.keep.empty()) fs::copy_file(path, options.keep, fs::copy_options::overwrite_existing);
        const Outcome outcome = run_in_child([&] { format(seed.format).read(path); }, 20, options.guarded);
        const std::string problem = describe_failure(outcome, path, 2 * valid_megabytes);
        ++counts[!problem.empty() ? "BAD" : outcome.kind == Outcome::Kind::read ? "read" : "refused"];
        if (problem.empty() && !options.verbose) continue;
        failures += problem.empty() ? 0 : 1;
        std::printf("%zu: %s: %s: %s\n", i, fs::path(seed.path).filename().c_str(),
                    core::printable(mutation.message).c_str(),
                    core::printable(problem.empty() ? outcome.message : "BAD: " + problem).c_str());
    }
    for (const auto& [name, count] : counts) std::printf("%s: %zu\n", name.c_str(), count);
    std::printf("memory of the valid files: %.0f MB\n", valid_megabytes);
    return failures == 0 ? 0 : 1;
}
