#include "agent/host/sim/network/dig_program.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <optional>

#include "agent/host/sim/network/subnet.h"

namespace relab::agent::sim {

namespace {

using Words = std::vector<std::string>;

constexpr std::uint16_t dns = 53;
constexpr auto timeout = std::chrono::seconds(3);
constexpr int tries = 2;
constexpr int aliases_max = 8;

struct Question {
  std::string server;
  std::string name;
  std::string type;
};

std::string small(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// "10.42.20.5" as the name that stands for it.
std::string reverse_name(const std::string& address) {
  const auto number = ipv4_number(address).value_or(0);
  return fmt::format("{}.{}.{}.{}.in-addr.arpa", number & 255U, (number >> 8U) & 255U,
                     (number >> 16U) & 255U, number >> 24U);
}

std::optional<Question> question_of(const Words& argv) {
  const Words always = {"+noall", "+comments", "+answer", "+authority", "+time=3", "+tries=2"};
  if (argv.size() < 11 || argv[1] != "-r" || !argv[2].starts_with('@') ||
      !std::equal(always.begin(), always.end(), argv.begin() + 3))
    return {};
  const auto server = argv[2].substr(1);
  if (argv.size() == 11 && argv[9] == "-x" && ipv4_number(argv[10]))
    return Question{.server = server, .name = argv[10], .type = "PTR"};
  if (argv.size() == 13 && argv[9] == "-t" && argv[11] == "-q")
    return Question{.server = server, .name = argv[12], .type = argv[10]};
  return {};
}

Output no_answer(const Question& question, std::string_view why) {
  constexpr auto in_vain = ";; no servers could be reached\n";
  Output output{.status = 9};
  for (int i = 0; i < tries; ++i)
    output.out += why == "network unreachable"
                      ? fmt::format(";; UDP setup with {0}#53({0}) for {1} failed: {2}.\n{3}",
                                    question.server, question.name, why, in_vain)
                      : fmt::format(";; communications error to {}#53: {}\n", question.server, why);
  if (!output.out.ends_with(in_vain)) output.out += in_vain;
  return output;
}

std::string written(const NameRecord& record) {
  if (record.type == "TXT") return fmt::format("\"{}\"", record.value);
  const bool is_name = record.type != "A" && record.type != "AAAA";
  return is_name && !record.value.ends_with('.') ? record.value + "." : record.value;
}

Output answered(const NameAnswer& answer) {
  Output output;
  output.out = fmt::format(
      ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {}, id: 4711\n"
      ";; flags: qr rd ra; QUERY: 1, ANSWER: {}, AUTHORITY: 0, ADDITIONAL: 1\n\n",
      answer.status, answer.records.size());
  if (!answer.records.empty()) output.out += ";; ANSWER SECTION:\n";
  for (const auto& record : answer.records)
    output.out +=
        fmt::format("{}.\t\t300\tIN\t{}\t{}\n", small(record.name), record.type, written(record));
  return output;
}

std::string_view words_of(Reach reach) {
  switch (reach) {
    case Reach::open:
    case Reach::refused:
      return "connection refused";
    case Reach::silent:
    // Nobody says so before dig has given up.
    case Reach::unreachable:
      return "timed out";
    case Reach::no_network:
      return "network unreachable";
  }
  return {};
}

NameAnswer name_of(const std::vector<NameRecord>& names, const std::string& address) {
  NameAnswer answer;
  for (const auto& record : names)
    if (record.type == "A" && record.value == address)
      answer.records.push_back(
          {.name = reverse_name(address), .type = "PTR", .value = small(record.name)});
  if (answer.records.empty()) answer.status = "NXDOMAIN";
  return answer;
}

}  // namespace

NameAnswer answer_of(const std::vector<NameRecord>& names, const std::string& name,
                     const std::string& type) {
  NameAnswer answer;
  auto wanted = small(name);
  bool is_known = false;
  for (int hop = 0; hop < aliases_max; ++hop) {
    std::string alias;
    for (const auto& record : names) {
      if (small(record.name) != wanted) continue;
      is_known = true;
      if (record.type == type || record.type == "CNAME") answer.records.push_back(record);
      if (record.type == "CNAME" && type != "CNAME") alias = small(record.value);
    }
    if (alias.empty()) break;
    wanted = alias;
  }
  if (!is_known) answer.status = "NXDOMAIN";
  return answer;
}

SimHost::Program dig_program(SimHost& host, const Reachability& lab, const std::string& name) {
  return [&host, &lab, name](const Command& command) -> Result<Output> {
    const auto question = question_of(command.argv);
    if (!question) return host.does_not_know(command);
    const auto way = lab.way(name, question->server, dns);
    if (way.reach == Reach::unreachable && lab.is_router(question->server))
      return host.does_not_know(command);
    if (way.reach == Reach::silent || way.reach == Reach::unreachable)
      host.spend(tries * Millis(timeout));
    if (way.reach != Reach::open || !way.machine->names)
      return no_answer(*question, words_of(way.reach));
    const auto& names = *way.machine->names;
    return answered(question->type == "PTR" ? name_of(names, question->name)
                                            : answer_of(names, question->name, question->type));
  };
}

}  // namespace relab::agent::sim
