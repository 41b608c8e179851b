#include "controller/report/table.h"

#include "controller/report/escape.h"
#include "controller/report/words.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

Table sample_table() {
  Table table({"name", "size"});
  table.add({{.text = "größer als gedacht"}, {.text = "9", .number = true}});
  table.add({{.text = "b|c\nd"}, {.text = "1024", .number = true}});
  return table;
}

}  // namespace

TEST_CASE("table: columns are as wide as their letters, numbers to the right",
          "[controller][report]") {
  CHECK(sample_table().print({}) ==
        "name                size\n"
        "größer als gedacht     9\n"
        "b|c\\nd              1024\n");
}

TEST_CASE("table: on a terminal texts are cut, numbers never", "[controller][report]") {
  CHECK(sample_table().print({.width = 14}) ==
        "name      size\n"
        "größer …     9\n"
        "b|c\\nd    1024\n");
  CHECK_FALSE(sample_table().fits(14));
  CHECK(sample_table().fits(22));
}

TEST_CASE("table: Markdown keeps pipes and line breaks inside of their cells",
          "[controller][report]") {
  CHECK(sample_table().print({.form = Form::markdown}) ==
        "| name | size |\n"
        "| --- | ---: |\n"
        "| größer als gedacht | 9 |\n"
        "| b\\|c<br>d | 1024 |\n");
}

TEST_CASE("escape: what is no text becomes visible", "[controller][report]") {
  CHECK(visible("a\x1b[31m") == "a\\x1b[31m");
  CHECK(visible("\xff") == "\uFFFD");
  CHECK(visible("\u202e\u0085") == "\\u{202e}\\u{85}");
  CHECK(visible("später → ok") == "später → ok");
  CHECK(markdown_text("\n<img src=x> `a` snake_case _b_ * * \\|") ==
        "<br>&lt;img src=x&gt; \\`a\\` snake_case \\_b\\_ \\* \\* \\\\\\|");
}

TEST_CASE("escape: a cut never splits a letter", "[controller][report]") {
  CHECK(cut("äöü", 3) == "äöü");
  CHECK(cut("äöü", 2) == "ä…");
  CHECK(cut("äöü", 1) == "…");
}

TEST_CASE("words: lists are counted in their singular", "[controller][report]") {
  CHECK(counted(1, "addresses") == "1 address");
  CHECK(counted(1, "indexes") == "1 index");
  CHECK(counted(1, "policies") == "1 policy");
  CHECK(counted(1, "pools") == "1 pool");
  CHECK(counted(2, "pools") == "2 pools");
  CHECK(human_name("usedBySnapshots") == "used by snapshots");
}

}  // namespace relab::controller
