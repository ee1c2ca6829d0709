// SPDX-License-Identifier: MIT
#include "core/label_list.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace popflow::core {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string stripped(std::string text) {
    while (!text.empty() && is_blank(text.back())) text.pop_back();
    text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
    return text;
}

// Reads one list from left to right.
class ListReader {
  public:
    ListReader(const std::string& key, const std::string& text) : key_(key), text_(text) {}

    bool at_end() const { return at_ >= text_.size(); }
    bool at(char c) const { return !at_end() && text_[at_] == c; }
    void skip() { ++at_; }
    void skip_blanks() {
        while (!at_end() && is_blank(text_[at_])) ++at_;
    }
    // Reads an item in quotes, from its opening to its closing quote.
    std::string quoted() {
        std::string item;
        for (++at_;; ++at_) {
            if (at_end())
                throw ConfigError(key_, "found `" + text_ + "`, in which a double quote is not closed");
            if (text_[at_] == '"') {
                ++at_;
                if (!at('"')) break;
            }
            item += text_[at_];
        }
        return item;
    }
    // Checks that an item in quotes ends here, before a separator.
    void end_item(char separator = ',') {
        skip_blanks();
        if (!at_end() && !at(separator))
            throw ConfigError(key_,
                              "found `" + text_ +
                                  "`, in which text follows a closing quote: put a whole label in double "
                                  "quotes, and write a quote in a label twice");
    }
    std::string until(const char* ends) {
        const std::size_t begin = at_;
        at_ = std::min(text_.find_first_of(ends, at_), text_.size());
        return text_.substr(begin, at_ - begin);
    }

  private:
    const std::string& key_;
    const std::string& text_;
    std::size_t at_ = 0;
};

bool contains(const std::vector<std::string>& list, const std::string& item) {
    return std::ranges::find(list, item) != list.end();
}

}  // namespace

std::vector<std::string> split_list(const std::string& key, const std::string& text) {
    std::vector<std::string> items;
    ListReader reader(key, text);
    while (true) {
        reader.skip_blanks();
        if (reader.at('"')) {
            items.push_back(reader.quoted());
            reader.end_item();
        } else if (std::string item = stripped(reader.until(",")); !item.empty()) {
            items.push_back(std::move(item));
        }
        if (reader.at_end()) return items;
        reader.skip();
    }
}

std::vector<std::pair<std::string, std::string>> split_assignments(const std::string& key,
                                                                   const std::string& text) {
    std::vector<std::pair<std::string, std::string>> items;
    if (text.empty()) return items;
    ListReader reader(key, text);
    while (true) {
        reader.skip_blanks();
        if (reader.at('"')) {
            const std::string item = reader.quoted();
            reader.end_item();
            const std::size_t equals = item.find('=');
            if (equals == std::string::npos) {
                items.emplace_back("", item);
            } else {
                items.emplace_back(item.substr(0, equals), item.substr(equals + 1));
            }
        } else {
            std::string name = stripped(reader.until("=,"));
            if (!reader.at('=')) {
                items.emplace_back("", std::move(name));
            } else {
                reader.skip();
                reader.skip_blanks();
                std::string value;
                if (reader.at('"')) {
                    value = reader.quoted();
                    reader.end_item();
                } else {
                    value = stripped(reader.until(","));
                }
                items.emplace_back(std::move(name), std::move(value));
            }
        }
        if (reader.at_end()) return items;
        reader.skip();
    }
}

LabelHead split_head(const std::string& key, const std::string& text) {
    ListReader reader(key, text);
    LabelHead split;
    reader.skip_blanks();
    split.is_quoted = reader.at('"');
    split.head = split.is_quoted ? reader.quoted() : stripped(reader.until(":"));
    if (split.is_quoted) reader.end_item(':');
    if (reader.at_end()) return split;
    reader.skip();
    split.rest = reader.until("");
    return split;
}

std::string list_item(const std::string& item) {
    const bool is_plain = !item.empty() && item.find_first_of(",\"#\n") == std::string::npos &&
                          !is_blank(item.front()) && !is_blank(item.back());
    if (is_plain) return item;
    std::string quoted = "\"";
    for (const char c : item) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string list_text(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) text += (text.empty() ? "" : ", ") + list_item(item);
    return text;
}

std::vector<std::string> rejoin_labels(const std::vector<std::string>& items,
                                       const std::vector<std::string>& known) {
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < items.size();) {
        std::string label = items[i];
        std::size_t next = i + 1;
        if (!contains(known, label)) {
            std::string close = label;
            std::string apart = label;
            for (std::size_t j = i + 1; j < items.size(); ++j) {
                close += "," + items[j];
                apart += ", " + items[j];
                for (const std::string& joined : {close, apart}) {
                    if (!contains(known, joined)) continue;
                    label = joined;
                    next = j + 1;
                }
            }
        }
        labels.push_back(std::move(label));
        i = next;
    }
    return labels;
}

}  // namespace popflow::core
