// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "options/option_table.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Whether an argument of `popflow help` requests a listing of all options of all verbs: `--markdown`
/// (docs/options.md), `--man` (manual page), `--bash` or `--zsh` (completions of the shell).
bool is_listing(const std::string& argument);

/// Whether a listing is a completion of a shell.
bool is_completion(const std::string& listing);

/// Prints a listing of all verbs on rank 0. Collective.
void print_reference(const std::string& listing, std::span<const Verb> verbs, const mpi::Communicator& comm);

/// Prints the part of a listing that belongs to one verb.
void print_listing(const std::string& listing, const std::string& usage, const options::OptionTable& table,
                   const std::vector<options::Section>& sections);

}  // namespace popflow::apps
