#include "tests/conformance/script.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::conformance {

namespace {

bool is_of_name(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }

Result<std::string> filled_in(std::string_view word, const Variables& variables) {
  std::string filled;
  for (std::size_t i = 0; i < word.size(); ++i) {
    std::size_t end = i + 1;
    while (word[i] == '$' && end < word.size() && is_of_name(word[end])) ++end;
    if (end == i + 1) {
      filled += word[i];
      continue;
    }
    const auto value = variables.find(word.substr(i + 1, end - i - 1));
    if (value == variables.end())
      return fail(Fault::invalid, fmt::format("{} has no value", word.substr(i, end - i)));
    filled += value->second;
    i = end - 1;
  }
  return filled;
}

Result<std::vector<std::string>> words_of(std::string_view line, const Variables& variables) {
  std::vector<std::string> all;
  std::string word;
  bool begun = false;
  const auto end_word = [&] {
    if (begun) all.push_back(std::exchange(word, {}));
    begun = false;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\'') {
      const auto end = line.find('\'', i + 1);
      if (end == std::string_view::npos) return fail(Fault::invalid, "a quote is open");
      word += line.substr(i + 1, end - i - 1);
      i = end;
      begun = true;
    } else if (line[i] == ' ') {
      end_word();
    } else if (line[i] == '#' && !begun) {
      break;
    } else {
      word += line[i];
      begun = true;
    }
  }
  end_word();
  for (auto& each : all) {
    RELAB_TRY(each, filled_in(each, variables));
  }
  return all;
}

}  // namespace

Result<std::vector<Step>> parse_script(std::string_view text, const Variables& variables) {
  std::vector<Step> steps;
  unsigned number = 0;
  for (const auto line : lines(text)) {
    ++number;
    RELAB_TRY(auto argv, words_of(line, variables).during(fmt::format("reading line {}", number)));
    if (argv.empty()) continue;
    Step step{.line = number, .argv = std::move(argv)};
    if (step.argv.size() > 2 && step.argv[step.argv.size() - 2] == "<<<") {
      step.input = step.argv.back();
      step.argv.resize(step.argv.size() - 2);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace relab::conformance
