#include "agent/host/sim/network/curl_program.h"

#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/host/sim/network/dig_program.h"
#include "agent/host/sim/network/subnet.h"
#include "agent/kinds/network/resolver.h"
#include "common/base/number.h"

namespace relab::agent::sim {

namespace {

using Words = std::vector<std::string>;

constexpr std::uint16_t dns = 53;
constexpr std::string_view begins = "-----BEGIN CERTIFICATE-----";

struct Url {
  bool is_tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path = "/";
};

struct Line {
  Url url;
  std::chrono::seconds timeout = std::chrono::seconds(0);
  std::string format;
  std::string authority;
  bool is_insecure = false;
};

/// What the transfer came to.
struct Transfer {
  int exit_code = 0;
  std::string complaint = {};
  HttpAnswer answer = {.status = 0};
  std::string peer = {};
  std::string certificates = {};
};

std::optional<Url> url_of(std::string_view text) {
  Url url;
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return {};
  const auto scheme = text.substr(0, mark);
  if (scheme != "http" && scheme != "https") return {};
  url.is_tls = scheme == "https";
  text.remove_prefix(mark + 3);
  // What is behind it no server is told.
  text = text.substr(0, text.find('#'));
  const auto slash = std::min(text.find_first_of("/?"), text.size());
  const auto authority = text.substr(0, slash);
  if (slash < text.size()) url.path = std::string(text.substr(slash));
  if (url.path[0] != '/') url.path = "/" + url.path;
  if (authority.find_first_of("@[") != std::string_view::npos) return {};
  const auto colon = authority.find(':');
  url.host = authority.substr(0, colon);
  url.port = url.is_tls ? 443 : 80;
  if (colon == std::string_view::npos) return url;
  const auto port = parse_number<std::uint16_t>(authority.substr(colon + 1));
  if (!port) return {};
  url.port = *port;
  return url;
}

/// Nothing for a line that is not simulated.
std::optional<Line> line_of(const Words& argv) {
  Line line;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    const auto& word = argv[i];
    if (word == "-q" || word == "--silent" || word == "--show-error" || word == "--globoff")
      continue;
    if (word == "--insecure") {
      line.is_insecure = true;
      continue;
    }
    if (++i == argv.size()) return {};
    const auto& value = argv[i];
    if (word == "--max-time") {
      const auto seconds = parse_number<std::int64_t>(value);
      if (!seconds) return {};
      line.timeout = std::chrono::seconds(*seconds);
    } else if (word == "--write-out") {
      line.format = value;
    } else if (word == "--cacert") {
      line.authority = value;
    } else if (word == "--") {
      const auto url = url_of(value);
      if (!url || i + 1 != argv.size()) return {};
      line.url = *url;
      return line;
    } else if (word != "--noproxy" && word != "--proto" && word != "--user-agent" &&
               word != "--capath" && (word != "--output" || value != "-")) {
      return {};
    }
  }
  return {};
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

/// What --write-out makes of its format, which all goes to standard error.
std::string written_out(std::string format, const Transfer& transfer) {
  const std::vector<std::pair<std::string, std::string>> values = {
      {"%{stderr}", ""},
      {"\\n", "\n"},
      {"%{http_code}", fmt::format("{:03}", transfer.answer.status)},
      {"%{size_download}", std::to_string(transfer.answer.body.size())},
      {"%{remote_ip}", transfer.peer},
      {"%{num_certs}", std::to_string(count(transfer.certificates, begins))},
      {"%{certs}", transfer.certificates}};
  for (const auto& [name, value] : values)
    for (auto at = format.find(name); at != std::string::npos; at = format.find(name, at))
      format.replace(at, name.size(), value);
  return format;
}

class Curl {
 public:
  Curl(SimHost& host, const Reachability& lab, const std::string& name)
      : host_(host), lab_(lab), name_(name) {}

  Result<Output> run(const Command& command) {
    const auto line = line_of(command.argv);
    if (!line) return host_.does_not_know(command);
    const auto address = resolve(line->url.host);
    if (!address)
      return told(*line,
                  {.exit_code = 6, .complaint = "Could not resolve host: " + line->url.host});
    const auto reach = lab_.reach(name_, {.address = *address, .port = line->url.port});
    if (reach == Reach::unreachable && lab_.is_router(*address))
      return host_.does_not_know(command);
    if (reach != Reach::open) return told(*line, no_connection(*line, reach));
    const auto* server = lab_.server(name_, {.address = *address, .port = line->url.port});
    if (server == nullptr) return host_.does_not_know(command);
    auto transfer = talk(*line, *server);
    if (!transfer) return host_.does_not_know(command);
    transfer->peer = *address;
    return told(*line, *transfer);
  }

 private:
  Transfer no_connection(const Line& line, Reach reach) {
    if (reach == Reach::silent) {
      host_.spend(Millis(line.timeout));
      return {.exit_code = 28,
              .complaint = fmt::format("Connection timed out after {} milliseconds",
                                       Millis(line.timeout).count())};
    }
    return {.exit_code = 7,
            .complaint = fmt::format("Failed to connect to {} port {} after 0 ms: Couldn't connect "
                                     "to server",
                                     line.url.host, line.url.port)};
  }

  /// Nothing where nobody said what it answers.
  std::optional<Transfer> talk(const Line& line, const Server& server) {
    const bool has_tls = !server.certificates.empty();
    if (line.url.is_tls && !has_tls && !server.http)
      return Transfer{
          .exit_code = 35,
          .complaint = fmt::format("OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to {}:{} ",
                                   line.url.host, line.url.port)};
    if (line.url.is_tls && !has_tls)
      return Transfer{
          .exit_code = 35,
          .complaint = "OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number"};
    if (has_tls != line.url.is_tls || !server.http)
      return Transfer{.exit_code = 52, .complaint = "Empty reply from server"};
    if (auto failed = verify(line, server)) return failed;
    auto answer = server.http(line.url.path);
    if (!answer) return {};
    return Transfer{.answer = *std::move(answer),
                    .certificates = has_tls ? server.certificates + "\n" : std::string()};
  }

  std::optional<Transfer> verify(const Line& line, const Server& server) {
    if (!line.url.is_tls || line.is_insecure) return {};
    if (line.authority.empty()) {
      if (server.is_trusted) return {};
    } else {
      const auto trusted = host_.read_file(line.authority);
      if (!trusted)
        return Transfer{.exit_code = 77,
                        .complaint = "error setting certificate file: " + line.authority};
      if (is_signed_by(server, *trusted)) return {};
    }
    return Transfer{.exit_code = 60,
                    .complaint = "SSL certificate problem: unable to get local issuer certificate"};
  }

  /// One of the certificates that the server shows is among the trusted ones.
  static bool is_signed_by(const Server& server, std::string_view trusted) {
    const std::string_view shown = server.certificates;
    for (auto at = shown.find(begins); at != std::string_view::npos;) {
      const auto next = shown.find(begins, at + 1);
      const auto one = shown.substr(at, next == std::string_view::npos ? next : next - at);
      const auto end = one.find("-----END");
      if (trusted.find(one.substr(0, end)) != std::string_view::npos) return true;
      at = next;
    }
    return false;
  }

  /// By /etc/hosts, and by the name servers of the machine that it was started on.
  std::optional<std::string> resolve(const std::string& host) {
    if (ipv4_number(host)) return host;
    const auto hosts = network::parse_hosts(host_.read_file("/etc/hosts").value_or(""));
    for (const auto& address : network::addresses_of(host, hosts))
      if (ipv4_number(address)) return address;
    const auto servers =
        network::parse_resolv_conf(host_.read_file("/etc/resolv.conf").value_or(""));
    for (const auto& server : servers.nameservers) {
      const auto way = lab_.way(name_, server, dns);
      if (way.reach != Reach::open || !way.machine->names) continue;
      for (const auto& record : answer_of(*way.machine->names, host, "A").records)
        if (record.type == "A") return record.value;
      return {};
    }
    return {};
  }

  static Output told(const Line& line, const Transfer& transfer) {
    Output output{.status = transfer.exit_code, .out = transfer.answer.body};
    if (transfer.exit_code != 0)
      output.err = fmt::format("curl: ({}) {}\n", transfer.exit_code, transfer.complaint);
    output.err += written_out(line.format, transfer);
    return output;
  }

  SimHost& host_;
  const Reachability& lab_;
  const std::string& name_;
};

}  // namespace

SimHost::Program curl_program(SimHost& host, const Reachability& lab, const std::string& name) {
  return [&host, &lab, name](const Command& command) { return Curl(host, lab, name).run(command); };
}

}  // namespace relab::agent::sim
