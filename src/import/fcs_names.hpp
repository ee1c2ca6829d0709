// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "import/fcs.hpp"

namespace popflow::data_import {

/// Source of the marker names of an FCS file.
enum class MarkerNames {
    stain,    ///< $PnS, or $PnN if there is no $PnS
    channel,  ///< $PnN
};

/// Names of the parameters of an FCS file, for the user. They are unique: the name of the channel, or the
/// number of the parameter, is appended to names that several parameters share, such as `CD4 (FL1-A)`.
class FcsNames {
  public:
    FcsNames(const FcsFile& fcs, MarkerNames names);

    /// Returns the name of each parameter.
    const std::vector<std::string>& markers() const { return markers_; }
    /// Returns the name of each parameter, or its form with the name of the channel if `wanted` has only
    /// that.
    std::vector<std::string> markers_as_in(const std::vector<std::string>& wanted) const;
    /// Returns the names of the parameters that a user's name stands for: a name of markers(), else a name of
    /// a channel, else a stain that several channels share. Returns the user's name if it stands for none.
    /// @throws core::DataError if the name is that of a channel, and the stain of another one
    std::vector<std::string> find(const std::string& name) const;
    /// Returns one line for each name that several of the chosen parameters share.
    std::vector<std::string> notes(const std::vector<std::string>& chosen) const;

  private:
    std::string path_;
    std::vector<FcsParameter> parameters_;
    std::vector<std::string> short_names_;  ///< names before anything was appended
    std::vector<std::string> markers_;
};

}  // namespace popflow::data_import
