// Sources that are added to a simulated Debian, through the real task kind.

#include <fmt/format.h>

#include "agent/host/sim/debian/debian.h"
#include "agent/host/sim/debian/openpgp.h"
#include "tests/unit/sim/debian/work.h"

namespace relab::agent::sim {

namespace {

/// Made with gpg for this test; its secret half is gone.
constexpr std::string_view key =
    R"(-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n)"
    R"(mDMEaw0gqRYJKwYBBAHaRw8BAQdAJhfqHQHVSkh7aRoVKGf74KAQ2Eo07ADTIBEK\n)"
    R"(KIJ2orC0FExhYiBwYWNrYWdlcyA8cEBsYWI+iJAEExYIADgWIQQS72dzhsamrmNw\n)"
    R"(6roq9byosCP9vgUCaw0gqQIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRAq\n)"
    R"(9byosCP9vo+KAP4x1DXX6QTgFuXc1oTAF9Ut0q4AcGBBD2CRwTd1D4SOlwD7BUIG\n)"
    R"(I935YSFEaV4I8JdwDLTFS+aK+5rCLhqSX+SExgE=\n=f59C\n-----END PGP PUBLIC KEY BLOCK-----\n)";
constexpr std::string_view fingerprint = "12EF677386C6A6AE6370EABA2AF5BCA8B023FDBE";

struct Container {
  SimHost host;
  Debian debian{host, Debian::container("bookworm", "monitoring")};

  Container() {
    host.strict({});
    must_carry_out(host, R"({"packages": {"packages": [{"name": "gpg"}], "refresh": true}})");
  }
  Work add(const std::string& more = "") {
    return carry_out(host, fmt::format(R"({{"aptRepository": {{"name": "grafana",
      "uris": ["https://apt.grafana.com"], "suites": ["stable"], "components": ["main"],
      "key": "{}", "fingerprint": "{}"{}}}}})",
                                       key, fingerprint, more));
  }
};

}  // namespace

TEST_CASE("debian: what a publisher has comes once its source is there", "[sim][debian]") {
  Container container;
  const auto* grafana = R"({"packages": {"packages": [{"name": "grafana"}]}})";

  const auto before = carry_out(container.host, grafana);
  const auto added = container.add();
  const auto after = carry_out(container.host, grafana);

  CHECK(before.failure.what.find("Unable to locate package grafana") != std::string::npos);
  INFO(added.failure.sentence());
  REQUIRE(added.outcome == schema::Outcome::SUCCEEDED);
  CHECK(container.add().changes.empty());
  INFO(after.failure.sentence());
  CHECK(after.outcome == schema::Outcome::SUCCEEDED);
  CHECK(container.debian.units().file_state("grafana-server.service") == "disabled");
  CHECK(container.host.unknown().empty());
}

TEST_CASE("debian: a publisher that cannot be reached leaves its lists unread", "[sim][debian]") {
  Container container;
  container.debian.packages().reached_by([](const std::string& server) {
    return server == "apt.grafana.com"
               ? std::string("Could not connect to apt.grafana.com:443, connection timed out")
               : std::string();
  });

  const auto work = container.add();

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what.find("connection timed out") != std::string::npos);
}

TEST_CASE("debian: the fingerprint of a key is the one that gpg shows", "[sim][debian]") {
  std::string text(key);
  for (auto at = text.find("\\n"); at != std::string::npos; at = text.find("\\n"))
    text.replace(at, 2, "\n");

  const auto keys = read_keys(text);

  REQUIRE(keys.size() == 2);
  CHECK(keys[0].fingerprint == fingerprint);
  CHECK(keys[1].user == "Lab packages <p@lab>");
  CHECK(read_keys("-----BEGIN PGP PUBLIC KEY BLOCK-----").empty());
}

}  // namespace relab::agent::sim
