// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "config/run_config.hpp"
#include "dist/communicator.hpp"

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
    int (*run)(const Arguments&, const dist::Communicator&);
    bool stops_on_signal =
        false;  ///< SIGTERM, SIGUSR1 and a first SIGINT make it save its state and exit with 75
};

// Each verb takes the arguments behind its name, runs on all ranks and returns the exit code.
int simulate(const Arguments& arguments, const dist::Communicator& comm);
int import(const Arguments& arguments, const dist::Communicator& comm);
int inspect(const Arguments& arguments, const dist::Communicator& comm);
int train(const Arguments& arguments, const dist::Communicator& comm);
int evaluate(const Arguments& arguments, const dist::Communicator& comm);
int predict(const Arguments& arguments, const dist::Communicator& comm);
int metrics(const Arguments& arguments, const dist::Communicator& comm);
int report(const Arguments& arguments, const dist::Communicator& comm);
int run(const Arguments& arguments, const dist::Communicator& comm);
int doctor(const Arguments& arguments, const dist::Communicator& comm);

/// `--help` or `-h` is among them.
bool asks_for_help(const Arguments& arguments);

/// Parses arguments; if they ask for help (asks_for_help(), or a name for which is_listing() alone), prints
/// it on rank 0 and returns true.
bool parse_or_help(const config::OptionTable& table, const std::string& usage, const Arguments& arguments,
                   const std::vector<config::Section>& sections, const dist::Communicator& comm,
                   std::vector<std::string>* positional = nullptr);

/// @throws core::ConfigError if the value of an option that is needed is empty
void require(const std::string& value, const std::string& option, const std::string& what);

/// Replaces an automatic precision by what the training will use: on a resume what it used before, else bf16
/// if every rank's CPU has it. Collective.
/// @throws core::ConfigError if bf16 is asked for and a CPU has it not
void settle_precision(config::RunConfig& config, const dist::Communicator& comm);

/// Trains as configured, with a settled precision (and settles what only the data tell), into the folder
/// config.output, which is there and kept to this run; `done` or `stopped`.
int train_run(config::RunConfig& config, const config::OptionTable& table, const dist::Communicator& comm);

/// Prints what train_run() would do and writes nothing; `done`, or `failed` if some first steps fail.
int plan_run(config::RunConfig& config, const config::OptionTable& table, const dist::Communicator& comm);

/// Holds SIGTERM, SIGUSR1 and SIGINT back until stop_requested() asks for them, in this thread and those it
/// starts.
///
/// No handler runs: generated matrix kernels keep data below the stack pointer, where a handler's frame would
/// be written. Call it before MPI starts its threads.
void hold_stop_signals();
/// Starts a thread that waits for SIGINT: the first asks for a stop, the second ends the program as if
/// nothing held it back.
void watch_for_interrupt();
/// One of them came.
bool stop_requested();

}  // namespace popflow::apps
