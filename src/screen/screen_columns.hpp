// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "anndata/anndata.hpp"
#include "screen/row_keys.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// Role of a column of obs.
enum class Role { patient, culture, treatment, concentration, replicate, plate, cell_type };
inline constexpr std::array<const char*, 7> role_names{"patient",   "culture", "treatment", "concentration",
                                                       "replicate", "plate",   "cell_type"};
/// Role of the column that names the vehicle of a treated cell. It is optional and no part of `Role`, so that
/// it does not change the columns of a file without it.
inline constexpr const char* vehicle_role = "vehicle";
/// Returns the names of all roles.
std::vector<std::string> all_role_names();
/// Treatment label of all cells of a file without treatments.
inline constexpr const char* only_controls_label = "control";

/// The obs columns that a screen needs. Interprets the labels of a row, given as its key in RowKeys.
class ScreenColumns {
  public:
    /// Finds the columns in the file.
    /// @throws core::DataError for a missing column
    /// @throws core::ConfigError for an invalid option
    /// @param is_resolved  whether the options are those of resolved(), so that no label is looked for
    ScreenColumns(const anndata::AnnData& data, const ScreenOptions& options, bool is_resolved = false);

    /// Names of the obs columns, in the order of the columns of RowKeys. A column that the file lacks has an
    /// empty name.
    const std::vector<std::string>& names() const { return names_; }
    /// Returns the index in names() of the column of a role.
    std::size_t column(Role role) const { return roles_[static_cast<std::size_t>(role)]; }
    /// Indices in names() of the pairing keys.
    const std::vector<std::size_t>& pair_by() const { return pair_by_; }
    /// Index in names() of the split column, if there is one.
    std::optional<std::size_t> split() const { return split_; }
    /// Index in names() of the column of the role vehicle, if there is one.
    std::optional<std::size_t> vehicle() const { return vehicle_; }
    /// Whether the file has a column of treatments. If not, all cells are controls.
    bool has_treatments() const { return has_treatments_; }

    /// Returns the options with the exact labels of the file, so that they are not searched again.
    ScreenOptions resolved(const ScreenOptions& options) const;
    /// Messages about columns and labels that were taken for those that the options name.
    const std::vector<std::string>& notes() const { return notes_; }

    /// Returns whether a key has no label in a column. A label such as `NA` or `nan` counts as missing,
    /// unless it is the label of the controls.
    bool is_missing(const RowKeys& keys, std::size_t key, std::size_t position) const;
    /// Returns the label of a key, empty if it is missing.
    std::string label(const RowKeys& keys, std::size_t key, std::size_t position) const;
    /// Returns the concentration of a key. One with a unit is a number in the unit of core::unit_name().
    std::string concentration(const RowKeys& keys, std::size_t key) const;
    /// Returns the treatment of a key.
    const std::string& treatment(const RowKeys& keys, std::size_t key) const;
    /// Returns whether a treatment is one of ScreenOptions::control_labels.
    bool is_control(const std::string& treatment) const;
    /// Vehicles that ScreenOptions::control_labels names, by treatment.
    const std::map<std::string, std::string>& named_vehicles() const { return named_vehicles_; }
    /// Returns why the rows of a key are excluded: the entry of `exclude` or the missing label. Returns an
    /// empty text for rows that are kept. A control needs no concentration.
    std::string exclusion_reason(const RowKeys& keys, std::size_t key) const;
    /// Returns the values that identify a population: the pairing keys, then treatment, then concentration.
    /// Concentrations that are numbers are compared as numbers, so `1` and `1.0` are equal.
    std::vector<std::string> population_values(const RowKeys& keys, std::size_t key) const;
    /// Returns, for each entry of ScreenOptions::exclude, whether any key matches it.
    std::vector<bool> exclusions_used(const RowKeys& keys) const;

  private:
    struct Exclusion {
        std::string text;
        std::vector<std::pair<std::size_t, std::string>> conditions;  ///< (column, label)
        bool matches(const RowKeys& keys, std::size_t key) const;
    };
    std::size_t add(const std::string& name);
    void read_control_labels(const std::vector<std::string>& labels);
    void find_roles(const anndata::AnnData& data, const ScreenOptions& options);
    void find_treatments(const anndata::AnnData& data, const ScreenOptions& options);
    void find_pairing(const anndata::AnnData& data, const ScreenOptions& options);
    void find_exclusions(const anndata::AnnData& data, const ScreenOptions& options);
    std::size_t named_column(const anndata::AnnData& data, const ScreenOptions& options,
                             const std::string& name);
    std::string find_column(const anndata::AnnData& data, const ScreenOptions& options,
                            const std::string& role);
    std::string find_name(const anndata::AnnData& data, const std::string& name);
    void find_controls(const anndata::AnnData& data, const ScreenOptions& options);
    void note(const std::string& text);

    std::vector<std::string> names_;
    std::array<std::size_t, role_names.size()> roles_{};
    std::vector<std::string> control_labels_;
    std::vector<std::size_t> pair_by_;
    std::map<std::string, std::string> named_vehicles_;
    bool has_treatments_ = true;
    std::optional<std::size_t> split_;
    std::optional<std::size_t> vehicle_;
    std::vector<Exclusion> exclusions_;
    bool is_resolved_;
    std::vector<std::string> notes_;
};

}  // namespace popflow::screen
