// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

namespace popflow::options {

/// A name that other programs have for an option, or for something that popflow has in another form.
struct OtherName {
    const char* name;
    const char* option;  ///< option of popflow, or nullptr if there is none
    const char* advice;  ///< end of the message, may be empty
};

/// Names of scanpy, CellFlow, scvi-tools, PyTorch Lightning, CellOT and similar programs.
std::span<const OtherName> other_names();

/// Returns the advice for an unknown option, as the end of a message: the option or the setting that popflow
/// has instead, or a suggestion by spelling. Empty if there is none.
/// @param name  without leading dashes. Its underscores count as dashes, and a prefix such as `trainer.` is
/// ignored
/// @param known  options that are allowed
std::string option_advice(const std::string& name, const std::vector<std::string>& known);

}  // namespace popflow::options
