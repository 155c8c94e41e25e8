//! A headless Chromium, controlled through a pipe by its DevTools protocol: JSON messages, each
//! ended by a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

/// A browser that is silent for this long hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// Returns the browser in the variable CHROMIUM, otherwise a Chromium or Chrome on the PATH.
pub fn find() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").filter(|named| !named.is_empty());
    if named.is_some() {
        return named.map(PathBuf::from);
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|file| file.is_file())
}

/// A browser with one open page; dropping it ends the browser.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    n_sent: u64,
    session: Option<String>,
    events: Vec<Value>,
}

impl Browser {
    /// Starts the browser with a new profile in a folder.
    pub fn start(program: &Path, profile: &Path) -> Self {
        // Chromium reads from descriptor 3 and writes to 4; only a shell can connect our pipes to
        // them.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2"#])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
            ])
            .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
            .args(["--disable-quic", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut pipe = BufReader::new(child.stdout.take().unwrap());
        let (send, from) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = vec![];
            while pipe.read_until(0, &mut bytes).is_ok_and(|n| n > 0) {
                bytes.pop();
                let message = serde_json::from_slice(&bytes).unwrap();
                if send.send(message).is_err() {
                    return;
                }
                bytes.clear();
            }
        });
        let mut browser = Self { child, to, from, n_sent: 0, session: None, events: vec![] };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method of the protocol and waits for its result.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.n_sent += 1;
        let mut message = json!({"id": self.n_sent, "method": method});
        message["params"] = parameters;
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let answer = self.next();
            if answer["id"] == self.n_sent {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn next(&self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("the browser answers")
    }

    /// Opens a file and waits until it is loaded.
    pub fn open(&mut self, file: &Path) {
        self.go(&format!("file://{}", file.display()));
    }

    /// Opens an address and waits until it is loaded.
    pub fn go(&mut self, address: &str) {
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        self.events.retain(|event| !loaded(event));
        self.call("Page.navigate", json!({"url": address}));
        while !self.events.iter().any(loaded) {
            let event = self.next();
            self.events.push(event);
        }
    }

    /// Emulates a screen (or paper, by `media`) with a width in CSS pixels, light or dark.
    pub fn pretend(&mut self, width: u32, media: &str, scheme: &str) {
        let screen =
            json!({"width": width, "height": 812, "deviceScaleFactor": 1, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", screen);
        let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"media": media, "features": scheme}));
    }

    /// Returns the value of a JavaScript expression.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", parameters);
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {}",
            result["exceptionDetails"]
        );
        result["result"]["value"].clone()
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            other => panic!("{other} has no code here"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({
                "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Presses a key that leads to another page, and waits until that is loaded.
    pub fn press_and_wait(&mut self, key: &str) {
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        self.events.retain(|event| !loaded(event));
        self.press(key);
        while !self.events.iter().any(loaded) {
            let event = self.next();
            self.events.push(event);
        }
    }

    /// Writes text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Keeps a screenshot of the whole page, if ENCORE_LOOK names a folder.
    pub fn look(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("ENCORE_LOOK") else { return };
        let size = "({width: document.documentElement.clientWidth, height: document.documentElement.scrollHeight})";
        let size = self.evaluate(size);
        let clip =
            json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let how = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = self.call("Page.captureScreenshot", how);
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = name.chars().map(safe).collect();
        let file = Path::new(&folder).join(format!("{name}.png.b64"));
        std::fs::write(file, shot["data"].as_str().unwrap()).unwrap();
    }

    /// Returns the page's console messages, its errors, and its network requests but those of an address of its own.
    pub fn complaints(&self, own: &str) -> Vec<String> {
        let said = |event: &Value| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => {
                    Some(parameters.to_string())
                }
                "Network.requestWillBeSent" => {
                    let address = parameters["request"]["url"].as_str()?;
                    let is_local = ["file:", "data:", own].iter().any(|it| address.starts_with(it));
                    (!is_local).then(|| format!("asked for {address}"))
                }
                _ => None,
            }
        };
        self.events.iter().filter_map(said).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser may have ended by itself; errors here do not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
