// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "anndata/anndata.hpp"
#include "screen/row_keys.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// What a column of obs is for.
enum class Role { patient, culture, treatment, concentration, replicate, plate, cell_type };
inline constexpr std::array<const char*, 7> role_names{"patient",   "culture", "treatment", "concentration",
                                                       "replicate", "plate",   "cell_type"};

/// The obs columns that a screen needs, and what a row's labels (its key in RowKeys) mean.
class ScreenColumns {
  public:
    /// Finds the columns in the file. @throws core::DataError for a missing one; core::ConfigError for a bad
    /// option
    ScreenColumns(const anndata::AnnData& data, const ScreenOptions& options);

    /// obs columns in the order in which RowKeys has them; empty for one that the file does not have.
    const std::vector<std::string>& names() const { return names_; }
    std::size_t of(Role role) const { return roles_[static_cast<std::size_t>(role)]; }
    const std::vector<std::size_t>& pair_by() const { return pair_by_; }
    std::optional<std::size_t> split() const { return split_; }

    /// Whether a treatment is one of ScreenOptions::control_labels.
    bool is_control(const std::string& treatment) const;
    /// Why a row of this key is left out; empty if it is not. Names the entry of `exclude` or the missing
    /// column. A control needs no concentration.
    std::string why_left_out(const RowKeys& keys, std::size_t key) const;
    /// Values of the pairing keys, then treatment, then concentration: what makes a population.
    /// Concentrations are compared as numbers where they are some: `1` and `1.0` are one.
    std::vector<std::string> population(const RowKeys& keys, std::size_t key) const;
    /// Entries of ScreenOptions::exclude that some key matches.
    std::vector<bool> exclusions_used(const RowKeys& keys) const;

  private:
    struct Exclusion {
        std::string text;
        std::vector<std::pair<std::size_t, std::string>> conditions;  ///< column, label
        bool matches(const RowKeys& keys, std::size_t key) const;
    };
    std::size_t add(const std::string& name);
    void find_roles(const anndata::AnnData& data, const ScreenOptions& options);
    void find_pairing(const anndata::AnnData& data, const ScreenOptions& options);
    void find_exclusions(const anndata::AnnData& data, const ScreenOptions& options);
    std::size_t named_column(const anndata::AnnData& data, const ScreenOptions& options,
                             const std::string& name);

    std::vector<std::string> names_;
    std::array<std::size_t, role_names.size()> roles_{};
    std::vector<std::string> control_labels_;
    std::vector<std::size_t> pair_by_;
    std::optional<std::size_t> split_;
    std::vector<Exclusion> exclusions_;
};

}  // namespace popflow::screen
