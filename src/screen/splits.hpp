// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "screen/screen.hpp"

namespace popflow::screen {

/// Part of a split.
enum class Part { train, validation, test };

const char* part_name(Part part);
/// @throws ConfigError for an unknown name
Part parse_part(const std::string& text);

/// Assignment of the pairs of a screen to train, validation and test.
struct Split {
    std::string spec;         ///< as the user gave it
    std::vector<Part> parts;  ///< one per Screen::pairs
    std::string column{};     ///< role or obs column by whose values pairs are held out, empty if by none
    /// Indices of the pairs of one part, ascending.
    std::vector<std::size_t> pairs(Part part) const;
};

/// Splits the pairs of a screen. All forms except `treatment` keep experiments whole.
///
///   - `patient:NAME[,NAME]`: experiments of these patients are held out for test, the others are train.
///   - `treatment:NAME[,NAME]`: pairs of these treatments are held out for test, the others are train.
///     Both parts share the controls.
///   - `replica`: uses the (patient, plate) batches of each culture that hold two or more replicates. Draws
///     10 batches that give one replicate to validation, and 10 others that give one replicate to test. With
///     fewer than 30 such batches, draws a third of them for each.
///   - `column:NAME`: reads the part from the column NAME of obs, which must be constant within each
///     experiment.
///   - `letters`: reads the part from the column `split`, which `simulate letters` writes.
///   - `COLUMN:VALUE[,VALUE]`: pairs with these values of another role or obs column are held out for test.
///     The treated cells of a pair must have one value. The control may have values of its own, as in a
///     column of drug classes. If it shares values with treated populations, they must be in the same part.
///   - `all`: every pair is test. This form serves data that an existing model is evaluated on.
///   - `none`: every pair is train. Nothing is held out.
///
/// The form `each:COLUMN` stands for one split `COLUMN:VALUE` for each value, see left_out_values(). It is
/// no split of its own.
///
/// A column whose name contains a colon, or is `column` or `each`, is written in double quotes:
/// `"my:column":VALUE`, `each:"my:column"`.
///
/// @throws ConfigError for an unknown form, or if cells of one value would be in two parts
/// @throws DataError for an unknown patient, treatment or value, if there is only one of them, for a column
///         that is missing or mixed within an experiment, and for a split without training pairs or without
///         test pairs
Split make_split(const Screen& screen, const std::string& spec, std::uint64_t seed);

/// Returns the column of a spec `COLUMN:VALUE` or `each:COLUMN`, empty for other forms and for the roles
/// patient and treatment.
/// @throws ConfigError for a quote that is not closed
std::string held_out_column(const std::string& spec);

/// Returns the column of a spec `COLUMN:VALUE` or `each:COLUMN`, also of the roles patient and treatment,
/// empty for other forms. @throws ConfigError as held_out_column()
std::string unit_column(const std::string& spec);

/// Returns whether `spec` is `each:COLUMN`, which leaves out each value of a column in turn.
/// @throws ConfigError as held_out_column()
bool is_leave_one_out(const std::string& spec);

/// Returns the values that a spec `each:COLUMN` leaves out in turn: those of the treated populations of the
/// pairs, in natural order.
/// @throws ConfigError, DataError as make_split(), for a column without values or with only one, or that is
///         mixed within a treated population
std::vector<std::string> left_out_values(const Screen& screen, const std::string& spec);

/// Returns the split `COLUMN:VALUE` of one value of `each:COLUMN`, with quotes where make_split() needs them.
std::string left_out_split(const std::string& spec, const std::string& value);

/// Returns whether `spec` holds nothing out.
bool holds_out_nothing(const std::string& spec);

/// Returns the value of the split column in a pair, as text. @param split  split with a column
std::string held_out_label(const Screen& screen, const Split& split, std::size_t pair);

/// Numbers the units of all pairs: populations that belong together, so that the pairs of a unit are not
/// independent. The penalties of the moment map are fitted by leaving units out.
///
/// A unit is, in this order:
///   1. the pairs of one value of the split column. The column must describe populations: each experiment has
///      one value, and at least one treatment has several. Treatments and their classes are no units.
///   2. the pairs of one value of a pairing key that separates the parts of the split, for example of the
///      patient if `column:NAME` holds out whole patients. Of several keys, that with the fewest values.
///   3. the pairs of one experiment.
/// @return  one number per Screen::pairs, 0 for the unit of the first pair, then ascending in order of
/// appearance
std::vector<std::size_t> population_units(const Screen& screen, const Split& split);

/// Numbers the units that a validation within the training part holds out: the values of the split column, of
/// treatments and their classes too, so that it holds out what the split holds out. population_units() if the
/// split has no column, or the training part has one value of it.
/// @return  as population_units()
std::vector<std::size_t> validation_units(const Screen& screen, const Split& split);

/// Returns the split with `count` units of the training part in the validation part, see validation_units().
/// The units are drawn. All pairs of a unit stay together.
/// @param count  at least 1
/// @param seed  seed of the draw
/// @throws ConfigError{validation} if the split has a validation part, or if no unit would be left to train
/// on
Split hold_out_units(const Screen& screen, Split split, std::size_t count, std::uint64_t seed);

/// Returns the role or obs column that `spec` reads (`column:NAME`, `letters`, `COLUMN:VALUE`,
/// `each:COLUMN`), or an empty text. Splits by patient and treatment read no further column. The value for
/// ScreenOptions::split_column.
std::string split_column(const std::string& spec);

}  // namespace popflow::screen
