// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "core/exit_code.hpp"
#include "mpi/communicator.hpp"
#include "options/run_config.hpp"

namespace popflow::apps {

using Arguments = std::vector<std::string>;

/// Exit codes.
inline constexpr int done = core::exit_done;
inline constexpr int failed = core::exit_failed;
inline constexpr int bad_input = core::exit_bad_input;
inline constexpr int stopped = core::exit_stopped;

/// A subcommand of the program.
struct Verb {
    const char* name;
    const char* summary;
    int (*run)(const Arguments&, const mpi::Communicator&);
    /// Whether SIGTERM, SIGUSR1 and the first SIGINT make the verb save its state and exit with `stopped`.
    bool stops_on_signal = false;
};

// Each verb gets the arguments after its name and returns the exit code. Collective: all ranks call it.
int verb_simulate(const Arguments& arguments, const mpi::Communicator& comm);
int verb_import(const Arguments& arguments, const mpi::Communicator& comm);
int verb_export(const Arguments& arguments, const mpi::Communicator& comm);
int verb_inspect(const Arguments& arguments, const mpi::Communicator& comm);
int verb_train(const Arguments& arguments, const mpi::Communicator& comm);
int verb_evaluate(const Arguments& arguments, const mpi::Communicator& comm);
int verb_predict(const Arguments& arguments, const mpi::Communicator& comm);
int verb_metrics(const Arguments& arguments, const mpi::Communicator& comm);
int verb_ot(const Arguments& arguments, const mpi::Communicator& comm);
int verb_report(const Arguments& arguments, const mpi::Communicator& comm);
int verb_run(const Arguments& arguments, const mpi::Communicator& comm);
int verb_doctor(const Arguments& arguments, const mpi::Communicator& comm);

/// Whether `--help` or `-h` is one of the arguments.
bool asks_for_help(const Arguments& arguments);

/// Parses the arguments of a verb and returns false. If they ask for help, prints it on rank 0 and returns
/// true. They do if asks_for_help(), or if the only argument is a listing (is_listing()).
/// @param positional  as for OptionTable::parse()
/// @throws core::ConfigError as OptionTable::parse()
bool parse_or_help(const options::OptionTable& table, const std::string& usage, const Arguments& arguments,
                   const std::vector<options::Section>& sections, const mpi::Communicator& comm,
                   std::vector<std::string>* positional = nullptr);

/// Checks that a required option has a value. @param example  value of the option, for the message
/// @throws core::ConfigError if the value is empty
void require(const std::string& value, const std::string& option, const std::string& example);

/// Checks that the command line does not have an option. @param why  end of the message
/// @throws core::ConfigError if it has
void refuse_option(const Arguments& arguments, const std::string& option, const std::string& why);

}  // namespace popflow::apps
