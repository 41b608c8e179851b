#include "agent/kinds/probes/curl.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <sodium.h>

#include "agent/kinds/support/redact.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"

namespace relab::agent::probes {

namespace {

constexpr std::size_t body_max = std::size_t{1} << 20U;
constexpr std::size_t complaint_max = 300;
constexpr std::string_view begins = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view ends = "-----END CERTIFICATE-----";
constexpr std::string_view report_format =
    "%{stderr}\\nrelab-status=%{http_code}\\nrelab-size=%{size_download}\\n"
    "relab-peer=%{remote_ip}\\n";
constexpr std::string_view certificate_format = "relab-certificates=%{num_certs}\\n%{certs}\\n";

/// "A1:B2:..." of 64 hexadecimal digits.
std::string with_colons(std::string_view digits) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && i % 2 == 0) text += ':';
    text += static_cast<char>(std::toupper(static_cast<unsigned char>(digits[i])));
  }
  return text;
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

/// Of the first certificate, which is the server's own. The others are its authorities'. What the
/// certificates say of themselves is printed, too: a mark that stands in such words would be one
/// more than there are certificates.
Result<std::string> fingerprint_of(std::string_view text, std::size_t certificates) {
  if (certificates == 0) return std::string();
  const auto begin = text.find(begins);
  const auto end = begin == std::string_view::npos ? begin : text.find(ends, begin);
  if (end == std::string_view::npos || count(text, begins) != certificates)
    return fail(Fault::damaged, "curl does not tell the certificate of the server");
  const auto base64 = text.substr(begin + begins.size(), end - begin - begins.size());
  Bytes bytes(base64.size());
  std::size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), base64.data(), base64.size(), " \r\n", &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size == 0)
    return fail(Fault::damaged, "the certificate of the server cannot be read");
  bytes.resize(size);
  return with_colons(crypto::sha256(bytes));
}

/// The rest of the line that begins so, and where it ends.
struct Line {
  std::string_view value;
  std::size_t end;
};
Result<Line> line_of(std::string_view text, std::string_view name, std::size_t from) {
  const auto mark = fmt::format("\nrelab-{}=", name);
  const auto at = text.find(mark, from);
  if (at == std::string_view::npos)
    return fail(Fault::damaged, fmt::format("curl does not tell the {} of the answer", name),
                "curl 7.88 or later is needed");
  const auto start = at + mark.size();
  const auto end = std::min(text.find('\n', start), text.size());
  return Line{.value = text.substr(start, end - start), .end = end};
}

}  // namespace

Result<CurlReport> parse_curl_report(std::string_view text) {
  CurlReport report;
  RELAB_TRY(const auto status, line_of(text, "status", 0));
  RELAB_TRY(report.status, parse_number<std::uint16_t>(status.value));
  RELAB_TRY(const auto size, line_of(text, "size", status.end));
  RELAB_TRY(report.size, parse_number<std::uint64_t>(size.value));
  RELAB_TRY(const auto peer, line_of(text, "peer", size.end));
  report.peer = peer.value;
  const auto all = lines(text.substr(0, text.find("\nrelab-status=")));
  const auto said = std::ranges::find_if(all, [](auto line) { return !trim(line).empty(); });
  if (said != all.end()) report.complaint = redact(trim(*said).substr(0, complaint_max));
  if (const auto certificates = line_of(text, "certificates", peer.end); certificates) {
    RELAB_TRY(const auto number, parse_number<std::size_t>(certificates->value));
    RELAB_TRY(report.fingerprint, fingerprint_of(text.substr(certificates->end), number));
  }
  return report;
}

Result<Answer> request(Host& host, const Request& request) {
  const auto seconds = std::to_string(request.timeout.count());
  constexpr auto more_time = std::chrono::seconds(10);
  std::string format(report_format);
  if (request.tells_certificate) format += certificate_format;
  // The first option: no configuration file of anybody's is read.
  Command command{.argv = {"curl", "-q", "--silent", "--show-error", "--globoff", "--noproxy", "*",
                           "--proto", "=http,https", "--max-time", seconds, "--user-agent",
                           "relab-agent", "--output", "-", "--write-out", format},
                  .timeout = request.timeout + more_time,
                  .output_max = body_max};
  if (request.tells_certificate) command.argv.emplace_back("--insecure");
  // Without a folder of its own, curl would trust the authorities of the machine as well.
  if (!request.authority.empty())
    command.argv.insert(command.argv.end(),
                        {"--cacert", request.authority, "--capath", "/nonexistent"});
  command.argv.insert(command.argv.end(), {"--", request.url});
  RELAB_TRY(auto output, host.run(command));
  RELAB_TRY(auto report, parse_curl_report(output.err).during("reading what curl tells"));
  return Answer{
      .exit_code = output.status, .report = std::move(report), .body = std::move(output.out)};
}

}  // namespace relab::agent::probes
