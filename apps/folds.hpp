// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "mpi/communicator.hpp"
#include "options/option_table.hpp"
#include "options/run_config.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Verb that works on the folds of a leave-one-out, one after another.
struct FoldVerb {
    const Arguments& arguments;                     ///< arguments of the verb
    const std::vector<options::Section>& sections;  ///< options of the verb
    bool has_scores = false;                        ///< whether the verb scores what it trains
    /// Trains, and scores if has_scores, as configured into the folder config.output. Collective.
    int (*run)(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm);
};

/// Refuses --fold without a leave-one-out. @throws core::ConfigError
void refuse_fold_option(const options::RunConfig& config);

/// Runs a leave-one-out (`--split each:COLUMN`) into the folder config.output, or with --fold one fold of it.
/// With --dry-run it prints what it would do. Collective.
///
/// - A fold has the folder `OUTPUT/FOLDER`, an ordinary run folder, with the files of a run of its split. See
///   train::fold_folders().
/// - A fold that cannot be trained is skipped, with a note.
/// - With --resume, finished folds are left as they are. A changed option is refused.
/// - When all folds have results, those are joined to `OUTPUT/results.h5`, see eval::join_folds().
/// - `OUTPUT/config.cfg` has the configuration and `OUTPUT/folds.csv` the list of folds.
///
/// A process that runs all folds holds the lock of the folder. A process with --fold holds it only while it
/// writes files of the folder itself.
/// @param config  configuration of the verb. Its precision is resolved.
/// @return `done` or `stopped`, for a dry run also `failed`
/// @throws core::UserError, core::Error
int run_folds(const FoldVerb& verb, options::RunConfig& config, const options::OptionTable& table,
              const mpi::Communicator& comm);

}  // namespace popflow::apps
