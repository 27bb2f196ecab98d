//! Resource types.

use super::*;

#[test]
fn resource_types_become_connection_interface_types() {
    let files: Files<'_> =
        tree!("types": "backup-vault.json", "parts/arn.json", "parts/path.json", "parts/zone.json", "ledger-database.yaml");
    let (vault, warnings) = connection_type_among("backup-vault.json", files["backup-vault.json"], &files).unwrap();
    assert_eq!(warnings, Problems::default());
    insta::assert_snapshot!(yaml(&vault), @r#"
    apiVersion: tieline/v1
    kind: ConnectionInterfaceType
    name: backup-vault
    version: 0.0.0
    description: Where copies are kept.
    orientation: environment-default
    attributes:
      description: Where copies are kept.
      properties:
        data:
          properties:
            infrastructure:
              oneOf:
              - $defs:
                  owner:
                    minLength: 1
                    type: string
                properties:
                  arn:
                    type: string
                  zone:
                    enum:
                    - north
                    - south
                    type: string
                required:
                - arn
                type: object
              - properties:
                  path:
                    type: string
                type: object
            owner:
              minLength: 1
              type: string
          type: object
          x-sensitive: true
        specs:
          properties:
            retention:
              properties:
                days:
                  type: integer
                seal:
                  $md.sensitive: true
                  type: string
                  x-sensitive: true
              type: object
          type: object
        zone:
          enum:
          - north
          - south
          type: string
      required:
      - data
      - specs
      title: Backup vault
      type: object
    "#);
    assert_eq!(vault.sensitive().iter().map(ToString::to_string).collect::<Vec<_>>(), ["data", "specs"]);
    let (ledger, _) = connection_type_among("context:types/ledger-database.yaml", files["ledger-database.yaml"], &files).unwrap();
    assert_eq!(ledger.sensitive().iter().map(ToString::to_string).collect::<Vec<_>>(), ["auth", "token"]);
    insta::assert_snapshot!(yaml(&ledger), @r#"
    apiVersion: tieline/v1
    kind: ConnectionInterfaceType
    name: ledger-database
    version: 0.0.0
    description: A database that only grows.
    orientation: link
    attributes:
      additionalProperties: false
      description: A database that only grows.
      properties:
        auth:
          properties:
            hostname:
              type: string
            password:
              $md.copyable: false
              $md.sensitive: true
              type: string
              x-sensitive: true
            port:
              default: 5432
              type: integer
          required:
          - hostname
          - password
          type: object
        id:
          type: string
        token:
          $md:
            sensitive: true
          type: string
          x-sensitive: true
      required:
      - auth
      - id
      title: Ledger database
      type: object
    "#);
}

#[test]
fn references_of_a_resource_type_need_their_files() {
    let text = fixture!("types/backup-vault.json");
    let problems = connection_type_among("types/backup-vault.json", text, &Files::new()).unwrap_err();
    insta::assert_snapshot!(told(&problems), @r#"
    properties.data.properties.infrastructure.oneOf[0].$ref: there is no `./parts/arn.json` [put the file where the reference leads, or write the schema in its place]
    properties.data.properties.infrastructure.oneOf[1].$ref: there is no `./parts/path.json` [put the file where the reference leads, or write the schema in its place]
    properties.data.properties.owner.$ref: there is no `./parts/arn.json#/definitions/owner` [put the file where the reference leads, or write the schema in its place]
    properties.zone.$ref: there is no `./parts/zone.json` [put the file where the reference leads, or write the schema in its place]
    "#);
    let circle: Files<'_> = BTreeMap::from([
        ("a.json", br#"{"properties": {"x": {"$ref": "b.json"}}}"#.as_slice()),
        ("b.json", br#"{"properties": {"y": {"$ref": "b.json"}}}"#.as_slice()),
    ]);
    let looping = br#"{"$md": {"name": "a"}, "properties": {"x": {"$ref": "b.json"}}}"#;
    insta::assert_snapshot!(told(&connection_type_among("a.json", looping, &circle).unwrap_err()), @"properties.x: the schema is too large, or refers to itself");
}
