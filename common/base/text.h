#pragma once

/// Text: UTF-8 as Cap'n Proto and terminals expect it, splitting, trimming.

#include <string>
#include <string_view>
#include <vector>

namespace relab {

/// Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL.
bool is_clean_text(std::string_view text);

/// The same text with U+FFFD for every byte that keeps it from being clean.
std::string clean_text(std::string_view text);

/// Without white space at either end.
std::string_view trim(std::string_view text);

/// The parts between separators, empty ones included; "" has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The lines without their ends; a last line feed starts no further line.
std::vector<std::string_view> lines(std::string_view text);

/// The parts between runs of spaces and tabs; no empty ones.
std::vector<std::string_view> words(std::string_view text);

/// The candidate that needs the fewest single-letter edits, if that is few enough to be a likely
/// slip.
std::string_view nearest(std::string_view text, const std::vector<std::string>& candidates);
/// What is found points into the candidates: they must outlive it.
std::string_view nearest(std::string_view text, std::vector<std::string>&& candidates) = delete;

}  // namespace relab
