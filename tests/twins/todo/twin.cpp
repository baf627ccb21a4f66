// The twin of a made-up provider of to-do lists: everything the twin kit offers, used once.
//   GET    /tasks?after=ID&limit=N          {"tasks":[...],"next":URL or null}
//   POST   /tasks   {"title":"..."}         201, with Idempotency-Key; 409 if the key was used otherwise
//   GET    /tasks/{task}                    200 or 404
//   PATCH  /tasks/{task}  done=true         200; form body
//   DELETE /tasks/{task}                    204
//   POST   /hooks   {"url":"...","secret":"..."}   from now on each change is told there
//   POST   /crash                           the twin's process ends
//   POST   /work    {"ms":1000}             200 after so much work without a pause
// "Authorization: Bearer todo-key"; 20 requests in 10 seconds.
#include <garland/sdk/twin.hpp>

#include <cstdlib>
#include <ctime>

namespace {

using namespace garland::sdk::twin;

struct Task {
  std::string id;
  std::string title;
  bool done = false;
  TimePoint changed;
};
GARLAND_RECORD(Task, id, title, done, changed)

struct Hook {
  std::string url;
  std::string secret;
};
GARLAND_RECORD(Hook, url, secret)

class Todo final : public Twin {
public:
  explicit Todo(Settings const& settings) : Twin(settings) {
    auto people = random().stream("people");
    for (std::int64_t i = 0; i < settings.volume; ++i)
      add(Task{ids().text("task_", 8), "Call " + person(people).first, false, settings.start});
  }

  Response serve(Request const& request) override {
    if (request.bearer() != "todo-key") return refuse(401, "the key is missing or wrong");
    auto const verdict = limit_.take(request.bearer(), now());
    if (!verdict.allowed)
      return refuse(429, "too many requests")
          .with("retry-after", std::to_string((verdict.retry_after.count() + 999) / 1000));
    return dispatch(routes, *this, request).with("x-remaining", std::to_string(verdict.remaining));
  }

  // {"task":ID,"title":TEXT}: somebody renames it on the provider's own page.
  json::value edit(json::object const& change) override {
    auto const* const id = change.if_contains("task");
    auto const* const title = change.if_contains("title");
    if (id == nullptr || title == nullptr || !id->is_string() || !title->is_string())
      throw Malformed("an edit has \"task\" and \"title\"");
    auto& task = taskOf(std::string(id->get_string()));
    task.title = std::string(title->get_string());
    return changed(task, "task.renamed");
  }

  json::object state() const override { return {{"tasks", tasks_.size()}}; }

private:
  Response list(Request const& request) {
    auto const all = tasks_.all();
    auto const limit =
        static_cast<std::size_t>(std::clamp<std::int64_t>(request.numberOr("limit", 10), 1, 100));
    auto page = pageAt(all, 0, limit);
    if (auto const after = request.parameter("after")) {
      auto behind = pageAfter(all, [&](Task const* task) { return task->id == *after; }, limit);
      if (!behind) return refuse(400, "there is no task " + *after);
      page = std::move(*behind);
    }
    json::object out;
    auto& tasks = out["tasks"].emplace_array();
    for (auto const* const task : page.items) tasks.push_back(encode(*task));
    if (page.more)
      out["next"] = request.urlWith("after", page.items.back()->id);
    else
      out["next"] = nullptr;
    return {200, out};
  }

  Response create(Request const& request) {
    std::string const key(request.header("idempotency-key"));
    if (!key.empty()) {
      auto const seen = keys_.find(key, request.body, now());
      if (seen.seen == SeenKeys::Seen::otherRequest)
        return refuse(409, "the key was used for something else");
      if (seen.seen == SeenKeys::Seen::same) return *seen.answer;
    }
    auto const body = request.bodyObject();
    auto const* const title = body.if_contains("title");
    if (title == nullptr || !title->is_string()) return refuse(422, "a task has a title");
    auto& task = add(Task{ids().text("task_", 8), std::string(title->get_string()), false, now()});
    Response answer(201, changed(task, "task.created"));
    if (!key.empty()) keys_.keep(key, request.body, answer, now());
    return answer;
  }

  Response show(Request const& request) { return {200, encode(taskOf(request.at("task")))}; }

  Response change(Request const& request) {
    auto& task = taskOf(request.at("task"));
    auto const form = request.formObject();
    if (auto const* const done = form.if_contains("done")) task.done = *done == "true";
    return {200, changed(task, "task.changed")};
  }

  Response remove(Request const& request) {
    auto const id = taskOf(request.at("task")).id;
    tasks_.erase(id);
    note("task.removed", id);
    return Response::empty();
  }

  Response hook(Request const& request) {
    hooks_.push_back(request.bodyAs<Hook>());
    return {201, encode(hooks_.back())};
  }

  Response crash(Request const&) { std::abort(); }

  Response work(Request const& request) {
    auto const body = request.bodyObject();
    auto const until = std::clock() + body.at("ms").as_int64() * (CLOCKS_PER_SEC / 1000);
    while (std::clock() < until) {
    }
    return {200, body};
  }

  Task& add(Task task) {
    auto const id = task.id;
    return tasks_.add(id, std::move(task));
  }

  Task& taskOf(std::string const& id) {
    auto* const task = tasks_.find(id);
    if (task == nullptr) throw Refusal(refuse(404, "there is no task " + id));
    return *task;
  }

  json::value changed(Task& task, std::string what) {
    task.changed = now();
    auto const shown = encode(task);
    for (auto const& hook : hooks_) {
      Webhook notice;
      notice.id = ids().text("msg_", 12);
      notice.url = hook.url;
      notice.body = json::serialize(json::object{{"type", what}, {"task", shown}});
      notice.scheme = "standard-webhooks";
      notice.secret = hook.secret;
      deliver(std::move(notice));
    }
    note(std::move(what), task.id, shown);
    return shown;
  }

  static constexpr Route<Todo> routes[] = {
      {"GET", "/tasks", &Todo::list},
      {"POST", "/tasks", &Todo::create},
      {"GET", "/tasks/{task}", &Todo::show},
      {"PATCH", "/tasks/{task}", &Todo::change},
      {"DELETE", "/tasks/{task}", &Todo::remove},
      {"POST", "/hooks", &Todo::hook},
      {"POST", "/crash", &Todo::crash},
      {"POST", "/work", &Todo::work},
  };

  Table<Task> tasks_;
  std::vector<Hook> hooks_;
  SeenKeys keys_;
  RateLimit limit_{20, std::chrono::seconds(10)};
};

} // namespace

GARLAND_TWIN(Todo)
