// SPDX-License-Identifier: MIT
#include "import/fcs_text.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "core/text_encoding.hpp"

namespace popflow::data_import {

namespace {

constexpr std::string_view blanks{" \t\r\n\0", 5};

bool is_blank(std::string_view text) {
    return text.find_first_not_of(blanks) == std::string_view::npos;
}

// Returns whether a text has the form of a keyword of the standard, such as $TOT or $P12N.
bool looks_standard(std::string_view text) {
    constexpr std::size_t max_length = 24;
    if (text.size() < 3 || text.size() > max_length || text.front() != '$') return false;
    return std::ranges::all_of(text.substr(1), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

class Parser {
  public:
    Parser(std::string_view text, const FcsTextReading& reading) : text_(text), reading_(reading) {}

    FcsText parse() {
        for (at_ = reading_.first; at_ < text_.size();) {
            const std::size_t next = std::min(text_.find(reading_.delimiter, at_), text_.size());
            field_.append(text_.substr(at_, next - at_));
            at_ = next;
            if (at_ == text_.size()) break;
            const std::size_t after =
                std::min(text_.find_first_not_of(reading_.delimiter, at_), text_.size());
            const std::size_t run = after - at_;
            at_ = after;
            in_value_ ? end_value(run) : end_name(run);
        }
        if (in_value_) {
            // The rest of the segment is the value of a name, or padding.
            const std::size_t padding = is_blank(field_) ? field_.size() : 0;
            out_.is_terminated = false;
            ++out_.oddities;
            add_pair(text_.size() - padding);
        } else if (const std::string name = stripped(field_); looks_standard(name)) {
            out_.cut_name = core::upper_case(name);
            ++out_.oddities;
        }
        return std::move(out_);
    }

  private:
    void append_delimiters(std::size_t n) { field_.append(n, reading_.delimiter); }

    // Handles `run` delimiters behind (part of) a name.
    void end_name(std::size_t run) {
        if (reading_.doubled == DoubledDelimiter::escape) {
            append_delimiters(run / 2);
            if (run % 2 == 1) start_value();
        } else if (reading_.doubled == DoubledDelimiter::empty_value) {
            end_fields(run);
        } else if (is_blank(field_)) {
            ++out_.oddities;  // a name is missing: skips the delimiters
            field_.clear();
        } else {
            start_value();
            append_delimiters((run - 1) / 2);
            if (run % 2 == 0) add_pair(at_);
        }
    }

    // Handles `run` delimiters behind (part of) a value.
    void end_value(std::size_t run) {
        switch (reading_.doubled) {
            case DoubledDelimiter::empty_value:
                add_pair(at_ - run + 1);
                for (std::size_t k = 1; k < run; ++k) in_value_ ? add_pair(at_ - run + k + 1) : start_value();
                return;
            case DoubledDelimiter::stray:
                return add_pair(at_);
            case DoubledDelimiter::escape:
                append_delimiters(run / 2);
                if (run % 2 == 1) add_pair(at_);
                return;
            case DoubledDelimiter::by_position:
                if (run % 2 == 0 && value_ends_here()) {
                    append_delimiters(run / 2 - 1);
                    return add_pair(at_ - 1);
                }
                append_delimiters(run / 2);
                if (run % 2 == 1) add_pair(at_);
        }
    }

    // Ends a name or a value at each of `run` delimiters.
    void end_fields(std::size_t run) {
        for (std::size_t k = 1; k <= run; ++k) in_value_ ? add_pair(at_ - run + k) : start_value();
    }

    // Returns whether the segment or the name of another keyword follows.
    bool value_ends_here() const {
        if (is_blank(text_.substr(at_))) return true;
        const std::size_t next = text_.find(reading_.delimiter, at_);
        return next != std::string_view::npos && looks_standard(text_.substr(at_, next - at_));
    }

    void start_value() {
        name_ = std::exchange(field_, {});
        in_value_ = true;
    }

    // Adds the pair of name_ and field_, which ends before offset `end`.
    void add_pair(std::size_t end) {
        if (reading_.should_resynchronise && looks_standard(stripped(field_))) {
            store(name_, "", end);
            name_ = std::exchange(field_, {});
            ++out_.oddities;
            return;
        }
        store(name_, field_, end);
        field_.clear();
        in_value_ = false;
    }

    void store(const std::string& name, const std::string& value, std::size_t end) {
        std::string key = core::upper_case(stripped(name));
        if (key.empty() || key.find(reading_.delimiter) != std::string::npos) ++out_.oddities;
        if (key.empty()) return;
        if (is_printable(key)) out_.end = std::min(end, text_.size());
        std::string clean = value;
        std::erase(clean, '\0');
        out_.keywords.try_emplace(std::move(key), core::to_utf8(clean));
    }

    std::string_view text_;
    const FcsTextReading& reading_;
    FcsText out_{};
    std::size_t at_ = 0;
    std::string name_{};
    std::string field_{};
    bool in_value_ = false;
};

}  // namespace

FcsText parse_fcs_text(std::string_view text, const FcsTextReading& reading) {
    return Parser(text, reading).parse();
}

std::string stripped(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

}  // namespace popflow::data_import
