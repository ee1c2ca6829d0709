// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

using Arguments = std::vector<std::string>;

/// Exit codes.
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int bad_input = 2;
inline constexpr int stopped = 75;  ///< on request, after a checkpoint: fit to requeue

struct Verb {
    const char* name;
    const char* does;
    int (*run)(const Arguments&, const mpi::Communicator&);
    bool stops_on_signal =
        false;  ///< SIGTERM, SIGUSR1 and a first SIGINT make it save its state and exit with 75
};

// Each verb takes the arguments behind its name, runs on all ranks and returns the exit code.
int verb_simulate(const Arguments& arguments, const mpi::Communicator& comm);
int verb_import(const Arguments& arguments, const mpi::Communicator& comm);
int verb_inspect(const Arguments& arguments, const mpi::Communicator& comm);
int verb_train(const Arguments& arguments, const mpi::Communicator& comm);
int verb_evaluate(const Arguments& arguments, const mpi::Communicator& comm);
int verb_predict(const Arguments& arguments, const mpi::Communicator& comm);
int verb_metrics(const Arguments& arguments, const mpi::Communicator& comm);
int verb_report(const Arguments& arguments, const mpi::Communicator& comm);
int verb_run(const Arguments& arguments, const mpi::Communicator& comm);
int verb_doctor(const Arguments& arguments, const mpi::Communicator& comm);

/// `--help` or `-h` is among them.
bool asks_for_help(const Arguments& arguments);

/// Parses arguments; if they ask for help (asks_for_help(), or a name for which is_listing() alone), prints
/// it on rank 0 and returns true.
bool parse_or_help(const options::OptionTable& table, const std::string& usage, const Arguments& arguments,
                   const std::vector<options::Section>& sections, const mpi::Communicator& comm,
                   std::vector<std::string>* positional = nullptr);

/// @throws core::ConfigError if the value of an option that is needed is empty
void require(const std::string& value, const std::string& option, const std::string& what);

}  // namespace popflow::apps
