//! Files with planted defects, and mended. Also included by the tests of the binary.
//!
//! A planted line ends with the names of the rules that must find it, between guillemets.

use std::collections::BTreeSet;

/// A file: its path, with planted defects, and mended.
pub(crate) type File = (&'static str, &'static str, &'static str);

pub(crate) const FILES: &[File] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n",
        "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n",
    ),
    (
        "src/main.rs",
        "//! The shop's program.\n\nfn main() {\n    let verbose = std::env::args().any(|argument| argument == \"--verbose\");\n    shop::serve(verbose);\n}\n",
        "//! The shop's program.\n\nfn main() {\n    let verbose = std::env::args().any(|argument| argument == \"--verbose\");\n    shop::serve(verbose);\n}\n",
    ),
    (
        "src/lib.rs",
        r#"//! The shop.

/// Serves customers.
pub fn serve(verbose: bool) {
    println!("{verbose}");
}

/// The price in a text.
pub fn price(text: &str) -> u32 {
    text.parse().unwrap() «rust-unwrap»
}

/// The discount of a customer.
pub fn discount(years: u32) -> u32 { «untested-function»
    match years {
        0 => 0,
        _ => todo!(), «rust-unfinished»
    }
}

/// The sum of prices.
pub fn sum(prices: &[u32]) -> u32 {
    let mut sum = 0;
    for at in 0..=prices.len() { «off-by-one»
        sum += prices[at];
    }
    return sum;
    println!("done"); «unreachable-code»
}

pub fn rebate(price: u32) -> u32 { «undocumented-item»
    price / 10
}
"#,
        r#"//! The shop.

/// Serves customers.
pub fn serve(verbose: bool) {
    println!("{verbose}");
}

/// The price in a text.
pub fn price(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

/// The discount of a customer.
pub fn discount(years: u32) -> u32 {
    match years {
        0 => 0,
        _ => 5,
    }
}

/// The sum of prices.
pub fn sum(prices: &[u32]) -> u32 {
    let mut sum = 0;
    for at in 0..prices.len() {
        sum += prices[at];
    }
    println!("done");
    return sum;
}

/// What is taken off.
pub fn rebate(price: u32) -> u32 {
    price / 10
}
"#,
    ),
    (
        "src/store.rs",
        r#"//! What is in store.

/// The names of articles.
pub async fn names(conn: &Connection, ids: &[u32]) -> Vec<String> {
    let mut names = Vec::new();
    for id in ids {
        names.push(conn.query_row("SELECT name FROM articles WHERE id = ?1", [id], read)); «query-in-loop»
        let pattern = Regex::new("^[a-z]+$"); «pattern-in-loop»
    }
    std::thread::sleep(PAUSE); «blocking-in-async»
    names
}

/// The first byte of a buffer.
pub fn first(buffer: *const u8) -> u8 {
    unsafe { *buffer } «rust-unsafe-without-reason»
}

/// Lists files.
pub fn list(folder: &str) -> Command {
    Command::new("sh").arg("-c").arg(format!("ls {folder}")) «rust-shell»
}
"#,
        r#"//! What is in store.

/// The names of articles.
pub async fn names(conn: &Connection, ids: &[u32]) -> Vec<String> {
    let mut names = Vec::new();
    let pattern = Regex::new("^[a-z]+$");
    for row in conn.query("SELECT name FROM articles WHERE id IN (?1)", [ids], read) {
        names.push(row);
    }
    sleep(PAUSE).await;
    names
}

/// The first byte of a buffer.
pub fn first(buffer: *const u8) -> u8 {
    // SAFETY: the caller passes a buffer with at least one byte.
    unsafe { *buffer }
}

/// Lists files.
pub fn list(folder: &str) -> Command {
    Command::new("ls").arg(folder)
}
"#,
    ),
    (
        "tests/shop.rs",
        r#"//! Tests of the shop.

#[test]
fn prices_are_read() {
    assert_eq!(shop::price("3"), 3);
}

#[test]
#[ignore] «skipped-test»
fn sums_are_right() {
    assert_eq!(shop::sum(&[1, 2]), 3);
}

#[test]
fn rebates_are_small() { «test-without-assertion»
    let rebate = shop::rebate(10);
}

#[test]
fn it_serves() {
    std::thread::sleep(PAUSE); «sleeping-test»
    assert!(true, "{:?}", shop::serve(true)); «vacuous-assertion»
}

#[test]
fn it_lists() {
    assert_eq!((names(), first(), list()), (1, 2, 3));
}

// #[test] «commented-out-test»
// fn it_opens() { assert!(shop::open()) }
"#,
        r#"//! Tests of the shop.

#[test]
fn prices_are_read() {
    assert_eq!(shop::price("3"), Ok(3));
}

#[test]
fn sums_are_right() {
    assert_eq!(shop::sum(&[1, 2]), 3);
}

#[test]
fn rebates_are_small() {
    assert_eq!(shop::rebate(10), 1);
}

#[test]
fn it_serves() {
    assert_eq!(shop::serve(true), ());
    assert_eq!(shop::discount(0), 0);
}

#[test]
fn it_lists() {
    assert_eq!((names(), first(), list()), (1, 2, 3));
}
"#,
    ),
    (
        "app/orders.py",
        r#""""Orders of customers."""


def add(item, items=[]): «py-mutable-default»
    """Adds an item."""
    if item == None: «py-none-equality»
        return items
    try:
        items.append(item)
    except: «py-bare-except»
        print("no")
    return items


def total(items):
    """The total.

    :param entries: what to add «unknown-parameter»
    """
    if items is "all": «py-literal-identity»
        return 1
    # TODO: taxes «unfinished-mark»
    return sum(items)
"#,
        r#""""Orders of customers."""


def add(item, items=None):
    """Adds an item."""
    items = items or []
    if item is None:
        return items
    try:
        items.append(item)
    except AttributeError:
        print("no")
    return items


def total(items):
    """The total.

    :param items: what to add
    """
    if items == "all":
        return 1
    return sum(items)
"#,
    ),
    (
        "app/accounts.py",
        r#""""Accounts of customers."""

import hashlib

DATABASE_PASSWORD = "tr0ub4dor&3x" «hard-coded-password»


def find(db, name):
    """Finds an account."""
    return db.execute(f"SELECT id FROM accounts WHERE name = '{name}'") «sql-from-text»


def restore(data, formula, folder, url, password):
    """Restores an account."""
    account = pickle.loads(data) «py-unpickle»
    account.limit = eval(formula) «py-eval»
    subprocess.run(f"ls {folder}", shell=True) «py-shell»
    requests.get(url, verify=False) «tls-unverified»
    account.token = "".join(random.choice(LETTERS) for _ in range(20)) «predictable-secret»
    os.chmod(folder, 0o777) «open-permissions»
    return hashlib.md5(password.encode()).hexdigest() «weak-password-hash»
"#,
        r#""""Accounts of customers."""

import hashlib

DATABASE_PASSWORD = os.environ["DATABASE_PASSWORD"]


def find(db, name):
    """Finds an account."""
    return db.execute("SELECT id FROM accounts WHERE name = %s", (name,))


def restore(data, formula, folder, url, password):
    """Restores an account."""
    account = json.loads(data)
    account.limit = ast.literal_eval(formula)
    subprocess.run(["ls", folder])
    requests.get(url, verify=True)
    account.token = secrets.token_hex(20)
    os.chmod(folder, 0o755)
    return hashlib.scrypt(password.encode(), salt=account.salt, n=16384, r=8, p=1)
"#,
    ),
    (
        "app/reports.py",
        r#""""Reports on orders."""


async def report(cursor, orders):
    """The report."""
    out = ""
    for order in orders:
        cursor.execute("SELECT name FROM customers WHERE id = %s", (order.customer,)) «query-in-loop»
        header = open("header.txt").read() «file-in-loop»
        out += f"{order}" «quadratic-concatenation»
    best = sorted(orders)[-1] «sorted-for-one»
    time.sleep(1) «blocking-in-async»
    cursor.execute("SELECT * FROM orders") «select-star»
    while orders:
        orders.pop(0) «front-of-list»
    return out, best
"#,
        r#""""Reports on orders."""


async def report(cursor, orders):
    """The report."""
    cursor.execute("SELECT id, name FROM customers")
    names = dict(cursor.fetchall())
    header = open("header.txt").read()
    parts = [header]
    for order in orders:
        parts.append(f"{names[order.customer]}")
    best = max(orders)
    await asyncio.sleep(1)
    cursor.execute("SELECT id FROM orders")
    while orders:
        orders.pop()
    return "".join(parts), best
"#,
    ),
    (
        "tests/test_orders.py",
        r#""""Tests of orders."""


def test_add(): «shadowed-test»
    assert add(1) == [1]


def test_add():
    assert (total([1]) == 1, "wrong total") «tuple-assertion»


@pytest.mark.skip(reason="flaky") «skipped-test»
def test_find():
    assert find(db, "a") == restore()


def test_report(): «test-without-assertion»
    report(cursor, orders)
    time.sleep(1) «sleeping-test»


def test_total():
    found = total([1])
    assert found == found «self-assertion»
"#,
        r#""""Tests of orders."""


def test_add():
    assert add(1) == [1]


def test_add_to_a_list():
    assert total([1]) == 1, "wrong total"


def test_find():
    assert find(db, "a") == restore()


def test_report():
    assert report(cursor, orders) == ("", 1)


def test_total():
    assert total([1]) == 1
"#,
    ),
    (
        "web/cart.js",
        r#"/** Adds to the cart. */
export function addToCart(cart, item) {
  if (cart.state = 'closed') { «js-assignment-in-condition»
    return null;
  }
  try {
    cart.items.push(item);
  } catch (error) {} «js-empty-catch»
  debugger; «js-debugger»
  cart.items.forEach(async (each) => { «js-async-for-each»
    save(each);
  });
  return cart;
  notify(cart); «unreachable-code»
}

/** Shows the cart. */
export function showCart(node, text, name, folder) {
  node.innerHTML = text; «js-markup»
  eval(text); «js-eval»
  exec(`ls ${folder}`); «js-shell»
  if (name == 'guest') { «js-loose-equality»
    return JSON.parse(JSON.stringify(node)); «copy-by-json»
  }
  return node;
}

/**
 * Loads the pages.
 * @param {string[]} addresses where they are «unknown-parameter»
 */
export async function loadPages(urls) {
  const pages = [];
  for (const url of urls) {
    pages.push(await load(url)); «await-in-loop»
    const client = new MongoClient(ADDRESS); «connection-in-loop»
  }
  return pages;
}
"#,
        r#"/** Adds to the cart. */
export function addToCart(cart, item) {
  if (cart.state === 'closed') {
    return null;
  }
  try {
    cart.items.push(item);
  } catch (error) {
    report(error);
  }
  cart.items.forEach((each) => {
    save(each);
  });
  notify(cart);
  return cart;
}

/** Shows the cart. */
export function showCart(node, text, name, folder) {
  node.textContent = text;
  execFile('ls', [folder]);
  if (name === 'guest') {
    return structuredClone(node);
  }
  return node;
}

/**
 * Loads the pages.
 * @param {string[]} urls where they are
 */
export async function loadPages(urls) {
  const client = new MongoClient(ADDRESS);
  return Promise.all(urls.map(async (url) => client.load(url)));
}
"#,
    ),
    (
        "web/cart.test.js",
        r#"describe('the cart', () => {
  it.only('takes items', () => { «focused-test»
    expect(addToCart({}, 1)).toBe(null);
  });

  it.skip('shows itself', () => { «skipped-test»
    expect(showCart({})).toEqual({});
  });

  it('loads', async () => { «test-without-assertion»
    await loadPages([]);
  });

  it('is fine', () => {
    expect(true).toBe(true); «vacuous-assertion»
  });
});
"#,
        r#"describe('the cart', () => {
  it('takes items', () => {
    expect(addToCart({}, 1)).toBe(null);
  });

  it('shows itself', () => {
    expect(showCart({})).toEqual({});
  });

  it('loads', async () => {
    expect(await loadPages([])).toEqual([]);
  });
});
"#,
    ),
    (
        "bin/deploy.sh",
        r#"#!/bin/sh «sh-no-errexit»
cd build «sh-cd-unchecked»
rm -rf $old/* «sh-unquoted-removal»
curl -k https://shop.example/list -o list «tls-unverified»
curl https://shop.example/install | sh «downloaded-script»
chmod 777 list «open-permissions»
"#,
        r#"#!/bin/sh
set -eu
cd build
rm -rf "${old:?}"/*
curl -f https://shop.example/list -o list
curl -f https://shop.example/install -o install
chmod 755 list
"#,
    ),
    (
        "config/shop.yaml",
        "database:\n  user: shop\n  password: s3cr3tvalue «secret-in-config»\n  cache: redis://shop:h4rdt0guess\x40cache:6379 «password-in-address»\n",
        "database:\n  user: shop\n  password: ${DATABASE_PASSWORD}\n  cache: redis://cache:6379\n",
    ),
    (
        "README.md",
        r#"# The shop

See [the guide](docs/manual.md). «broken-link»

The orders are in `app/order.py`. «missing-file»

![](docs/plan.png) «image-without-words»

See [the set-up](#set-up) and [more](). «broken-anchor» «empty-link»

TODO: explain the rest. «unfinished-document»

```sh
make check «missing-command»
shop --dry-run «missing-flag»
```
"#,
        r#"# The shop

See [the guide](docs/guide.md).

The orders are in `app/orders.py`.

![The parts of the shop](docs/plan.png)

See [the set-up](#set-up).

## Set-up

```sh
make all
shop --verbose
```
"#,
    ),
    ("docs/guide.md", "# Guide\n", "# Guide\n"),
    ("docs/plan.png", "a picture", "a picture"),
    ("Makefile", "all:\n\tcargo build\n", "all:\n\tcargo build\n"),
];

/// The text without its marks, and what they say about each line.
pub(crate) fn planted(path: &str, text: &str, expected: &mut BTreeSet<String>) -> String {
    let mut clean = String::new();
    for (line, number) in text.lines().zip(1..) {
        let mut parts = line.split('«');
        clean.push_str(parts.next().unwrap_or_default().trim_end());
        clean.push('\n');
        for rule in parts {
            let rule = rule.trim_end().trim_end_matches('»');
            expected.insert(format!("{path}:{number} {rule}"));
        }
    }
    clean
}
