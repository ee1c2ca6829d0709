// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "options/option_table.hpp"
#include "verbs.hpp"

namespace popflow::apps {

/// Whether an argument of `popflow help` asks for a listing of every option of every verb: `--markdown`
/// (docs/options.md), `--man` (a manual page), `--bash` or `--zsh` (what the shell completes).
bool is_listing(const std::string& argument);

/// Of a listing: what the shell completes, a list of words.
bool is_completion(const std::string& listing);

/// Prints a listing of all verbs. Collective.
void print_reference(const std::string& listing, std::span<const Verb> verbs, const mpi::Communicator& comm);

/// Prints a verb's part of a listing.
void print_listing(const std::string& listing, const std::string& usage, const options::OptionTable& table,
                   const std::vector<options::Section>& sections);

}  // namespace popflow::apps
