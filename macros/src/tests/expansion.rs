//! The formatted output, compared with the files in `expansions`.
//!
//! `UPDATE_EXPECTED=1 cargo test -p seatrial-macros` rewrites them.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;

use crate::environment::Environment;
use crate::pipeline;

#[test]
fn of_a_composition() {
    let item = quote! {
        struct Shop {
            #[service(
                image = "mariadb:10.11",
                port = 3306,
                files("/seed.sql" = include_file!("seed.sql")),
                ready(with = hooks::seeded),
                setup(with = hooks::migrate, name = "schema", key = include_str!("schema.sql")),
            )]
            db: Service,
            #[service(bin = "shop", env(DATABASE_URL = "mysql://{db}"), ready(running))]
            r#type: Service,
        }
    };
    let expansion = pipeline::composition(item, &Environment::default());
    compare("composition", expansion);
}

#[test]
fn of_a_composition_with_a_mistake() {
    let item = quote! {
        #[composition(crate = shop::seatrial)]
        struct Shop<T> where T: Copy {
            #[service(image = "Redis", ready(running))]
            cache: T,
        }
    };
    let expansion = pipeline::composition(item, &Environment::default());
    compare("composition_with_a_mistake", expansion);
}

#[test]
fn of_a_plain_test() {
    let item = quote! {
        #[should_panic]
        fn breaks(shop: Shop) {
            panic!();
        }
    };
    compare(
        "plain_test",
        pipeline::test(TokenStream::new(), item, &Environment::default()),
    );
}

#[test]
fn of_an_async_test() {
    let item = quote! {
        /// Documented.
        #[cfg_attr(windows, should_panic)]
        pub async fn orders(
            shop: Shop,
            #[service(image = "redis:7", port = 6379)] cache: Service,
            Other { one, .. }: Other,
        ) -> anyhow::Result<()> {
            Ok(())
        }
    };
    let attribute = quote!(timeout = "30s", runtime = "multi_thread");
    compare(
        "async_test",
        pipeline::test(attribute, item, &Environment::default()),
    );
}

#[test]
fn of_a_test_with_instances_of_its_own() {
    let item = quote! {
        fn compares(shop: Shop, #[composition(scope = test)] #[allow(unused)] mut own: Shop) {}
    };
    let expansion = pipeline::test(TokenStream::new(), item, &Environment::default());
    compare("test_with_instances_of_its_own", expansion);
}

#[test]
fn of_a_test_with_conditions() {
    let item = quote! {
        /// Documented.
        pub fn expires(
            shop: Shop,
            #[cfg(unix)] #[service(image = "redis:7", ready(running))] cache: Service,
            #[cfg_attr(windows, composition(scope = test), allow(unused))] own: Shop,
        ) {
        }
    };
    let attribute = quote!(timeout = "30s", crate = trial);
    let expansion = pipeline::test(attribute, item, &Environment::default());
    compare("test_with_conditions", expansion);
}

#[test]
fn of_a_test_without_parameters() {
    let item = quote!(
        fn nothing() -> () {}
    );
    let expansion = pipeline::test(TokenStream::new(), item, &Environment::default());
    compare("test_without_parameters", expansion);
}

#[test]
fn of_a_test_with_a_mistake() {
    let item = quote! {
        #[ignore]
        fn keys_expire(#[service(image = "Redis", ready(running))] #[allow(unused)] cache: Service) -> u8 {
            1
        }
    };
    let expansion = pipeline::test(TokenStream::new(), item, &Environment::default());
    compare("test_with_a_mistake", expansion);
}

fn compare(name: &str, expansion: TokenStream) {
    let file: syn::File = syn::parse2(expansion).expect("the expansion is not Rust");
    let actual = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/expansions")
        .join(name)
        .with_extension("txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &actual).expect("the file cannot be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs; expected\n{expected}\nbut this came out\n{actual}",
        path.display()
    );
}
