-- The order book's tables. Version 1; the library looks for that number when it connects.

CREATE TABLE schema_version (version INT UNSIGNED NOT NULL);
INSERT INTO schema_version VALUES (1);

CREATE TABLE customers (
    id    BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    email VARCHAR(254) NOT NULL UNIQUE,
    name  VARCHAR(100) NOT NULL
);

CREATE TABLE products (
    sku         VARCHAR(32) PRIMARY KEY,
    price_cents BIGINT UNSIGNED NOT NULL,
    stock       INT UNSIGNED NOT NULL
);

CREATE TABLE orders (
    id          BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    customer_id BIGINT UNSIGNED NOT NULL,
    FOREIGN KEY (customer_id) REFERENCES customers (id)
);

CREATE TABLE order_lines (
    order_id    BIGINT UNSIGNED NOT NULL,
    sku         VARCHAR(32) NOT NULL,
    quantity    INT UNSIGNED NOT NULL,
    -- What was agreed on: a product's price may change later.
    price_cents BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (order_id, sku),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (sku) REFERENCES products (sku)
);
