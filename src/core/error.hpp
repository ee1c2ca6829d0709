// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace popflow::core {

/// Root of everything the library throws.
///
/// Two kinds matter to a caller: a `UserError` is the user's to mend (exit code 2), any other `Error` is a
/// run that failed (exit code 1).
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The user's input is wrong: usage, configuration or data file.
class UserError : public Error {
  public:
    using Error::Error;
};

/// A data file, or one field of it, is not what it must be. `what()` is `file: field: found ..., allowed
/// ...`.
class DataError : public UserError {
  public:
    DataError(std::string file_name, std::string field_name, const std::string& problem)
        : UserError(file_name + (field_name.empty() ? "" : ": " + field_name) + ": " + problem),
          file(std::move(file_name)),
          field(std::move(field_name)) {}
    std::string file;   ///< path as the user gave it
    std::string field;  ///< dataset, column or attribute; may be empty
};

/// An option or configuration key has a value that is not allowed. `what()` is `key: problem`.
class ConfigError : public UserError {
  public:
    ConfigError(std::string key_name, const std::string& problem)
        : UserError(key_name + ": " + problem), key(std::move(key_name)) {}
    std::string key;
};

/// A matrix has not the shape an operation needs. `what()` reads `linear.x: expected [*, 50], got [512, 48]`.
class ShapeMismatch : public Error {
  public:
    ShapeMismatch(const std::string& name, const std::string& expected, std::size_t rows, std::size_t cols)
        : Error(name + ": expected " + expected + ", got [" + std::to_string(rows) + ", " +
                std::to_string(cols) + "]") {}
};

/// A file that was begun could not be written to its end: the disk is full, or failed. `what()` is `file:
/// cannot write: ...`.
class WriteError : public Error {
  public:
    WriteError(std::string file_name, const std::string& problem)
        : Error(file_name + ": " + problem), file(std::move(file_name)) {}
    std::string file;  ///< path as it will be called when it is whole
};

/// A computation left the finite numbers or did not converge.
class NumericalError : public Error {
  public:
    NumericalError(std::string place, std::string found)
        : Error(place + ": " + found), where(std::move(place)), problem(std::move(found)) {}
    std::string where;
    std::string problem;
};

/// An MPI call failed.
class MpiError : public Error {
  public:
    MpiError(std::string call_name, int error_code, const std::string& text)
        : Error(call_name + ": " + text), call(std::move(call_name)), code(error_code) {}
    std::string call;
    int code;
};

/// Throws ShapeMismatch unless a matrix of `rows` x `cols` has the wanted shape.
inline void check_shape(const char* name, std::size_t rows, std::size_t cols, std::size_t want_rows,
                        std::size_t want_cols) {
    if (rows != want_rows || cols != want_cols) {
        throw ShapeMismatch(name, "[" + std::to_string(want_rows) + ", " + std::to_string(want_cols) + "]",
                            rows, cols);
    }
}

inline void check_shape(const std::string& name, std::size_t rows, std::size_t cols, std::size_t want_rows,
                        std::size_t want_cols) {
    check_shape(name.c_str(), rows, cols, want_rows, want_cols);
}

}  // namespace popflow::core
