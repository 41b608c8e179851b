#include "controller/lab/kinds.h"

#include <capnp/schema.h>

#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "schema/task.capnp.h"
#include "tests/support/must.h"

namespace relab::lab {

TEST_CASE("kinds: the list has one line for each, with its documentation", "[controller][lab]") {
  const auto page = describe_kinds();

  const auto kinds = reflect::choices(capnp::Schema::from<schema::Task>());
  const auto rows = lines(page);
  REQUIRE(rows.size() == kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CHECK(rows[i].starts_with(reflect::key_of(kinds[i]) + " "));
    CHECK(rows[i].ends_with(reflect::notes_of(kinds[i]).doc));
  }
}

TEST_CASE("kinds: the page of one tells all that the schema says", "[controller][lab]") {
  const auto page = must(describe_kind("ping"));

  CHECK(page ==
        R"(ping
  Answers without touching the machine; proves that orders and reports pass.

  After an unknown outcome, the controller may order a new attempt by itself.

In lab.toml
  steps = [{ name = "...", task = { ping = {} } }]

Parameters
  echo (text)
      Comes back in the facts; at most 4096 bytes.

Facts
  echo (text)
      What the order asked to send back.
  uptime (number in seconds)
      Time since the machine started.
)");
}

TEST_CASE("kinds: both spellings of a name are known", "[controller][lab]") {
  const auto page = must(describe_kind("auditZfs"));

  CHECK(page == must(describe_kind("audit_zfs")));
  CHECK_THAT(page, Catch::Contains("Section 'zfs' of the audit"));
  CHECK_THAT(page, Catch::Contains("Facts\n  coverage (coverage)\n    absent (text)"));
}

TEST_CASE("kinds: the example has what lab.toml must give", "[controller][lab]") {
  CHECK_THAT(
      must(describe_kind("usb_disk")),
      Catch::Contains(R"(task = { usb_disk = { serial = "NA8V1C2D", folder = "/mnt/usb" } })"));
  CHECK_THAT(must(describe_kind("audit_zfs")), Catch::Contains("task = { audit_zfs = {} }"));
}

TEST_CASE("kinds: every kind has a page", "[controller][lab]") {
  for (const auto kind : reflect::choices(capnp::Schema::from<schema::Task>()))
    CHECK_THAT(must(describe_kind(reflect::key_of(kind))), Catch::Contains("\nFacts\n"));
}

TEST_CASE("kinds: an unknown name gets the nearest one", "[controller][lab]") {
  const auto [name, hint] = GENERATE(table<std::string, std::string>({
      {"audit_zsf", "did you mean 'audit_zfs'?"},
      {"Ping", "did you mean 'ping'?"},
      {"unset", "there are ping, audit_zfs"},
      {"", "there are ping, audit_zfs"},
  }));

  const auto page = describe_kind(name);

  REQUIRE_FALSE(page);
  CHECK(page.error().fault == Fault::missing);
  CHECK(page.error().what == "there is no task kind '" + name + "'");
  CHECK_THAT(page.error().hint, Catch::StartsWith(hint));
}

}  // namespace relab::lab
