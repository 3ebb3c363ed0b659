//! Writes what a template makes.

use super::blocks::{Choice, Part, Setting, Subject};
use super::parse::{Command, Operand};
use super::{Ingredients, Value};

/// The longest text that a function, or all of a template, may make, in bytes: a template that doubles a variable again
/// and again comes to an end.
pub(super) const LONGEST: usize = 8192;

/// What `parts` make of `ingredients`.
pub(super) fn text(parts: &[Part], ingredients: Ingredients<'_>) -> Result<String, String> {
    let mut rendering = Rendering { ingredients, dot: None, variables: Vec::new(), text: String::new() };
    rendering.parts(parts)?;
    Ok(rendering.text)
}

const TOO_LONG: &str = "the username template makes too long a text";

struct Rendering<'a> {
    ingredients: Ingredients<'a>,
    /// What `.` stands for in the body of a `with`.
    dot: Option<Value>,
    /// The innermost last.
    variables: Vec<(&'a str, Value)>,
    text: String,
}

impl<'a> Rendering<'a> {
    fn parts(&mut self, parts: &'a [Part]) -> Result<(), String> {
        for part in parts {
            match part {
                Part::Text(text) => self.text.push_str(text),
                Part::Action(commands) => {
                    let value = self.pipeline(commands)?;
                    self.text.push_str(&value.into_text());
                }
                Part::Setting(setting) => self.set(setting)?,
                Part::Choice(choice) => self.choice(choice)?,
            }
            if self.text.len() > LONGEST {
                return Err(TOO_LONG.to_owned());
            }
        }
        Ok(())
    }

    fn set(&mut self, setting: &'a Setting) -> Result<(), String> {
        let value = self.pipeline(&setting.value)?;
        if setting.is_new {
            self.variables.push((&setting.variable, value));
        } else if let Some((_, kept)) = self.variables.iter_mut().rev().find(|(name, _)| *name == setting.variable) {
            *kept = value;
        }
        Ok(())
    }

    fn choice(&mut self, choice: &'a Choice) -> Result<(), String> {
        let outside = self.variables.len();
        let value = self.pipeline(&choice.condition)?;
        if let Some(variable) = &choice.variable {
            self.variables.push((variable, value.clone()));
        }
        match (value.holds(), choice.subject) {
            (true, Subject::Kept) => self.parts(&choice.then)?,
            (true, Subject::Condition) => {
                let dot = self.dot.replace(value);
                self.parts(&choice.then)?;
                self.dot = dot;
            }
            (false, Subject::Kept | Subject::Condition) => self.parts(&choice.otherwise)?,
        }
        self.variables.truncate(outside);
        Ok(())
    }

    /// The value of commands, each of which gets that of the one before as its last argument.
    fn pipeline(&self, commands: &[Command]) -> Result<Value, String> {
        let mut carried: Option<Value> = None;
        for command in commands {
            let mut arguments = Vec::new();
            for operand in &command.arguments {
                arguments.push(self.value(operand)?);
            }
            arguments.extend(carried.take());
            carried = Some(if let Operand::Function(function) = &command.head {
                bounded(function.call(arguments, self.ingredients)?)?
            } else if arguments.is_empty() {
                self.value(&command.head)?
            } else {
                return Err("only a function takes arguments in a username template".to_owned());
            });
        }
        carried.ok_or_else(|| "an action of the username template is empty".to_owned())
    }

    fn value(&self, operand: &Operand) -> Result<Value, String> {
        match operand {
            Operand::DisplayName => Ok(Value::Text(self.ingredients.display_name.to_owned())),
            Operand::RoleName => Ok(Value::Text(self.ingredients.role_name.to_owned())),
            Operand::Literal(value) => Ok(value.clone()),
            Operand::Function(function) => function.call(Vec::new(), self.ingredients),
            Operand::Pipeline(commands) => self.pipeline(commands),
            Operand::Dot => self.dot.clone().ok_or_else(|| "the username template has a . that is nothing".to_owned()),
            Operand::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let undefined = || "the username template uses a variable that is not set there".to_owned();
                known.map(|(_, value)| value.clone()).ok_or_else(undefined)
            }
        }
    }
}

fn bounded(value: Value) -> Result<Value, String> {
    match value {
        Value::Text(text) if text.len() > LONGEST => Err(TOO_LONG.to_owned()),
        value @ (Value::Text(_) | Value::Number(_) | Value::Truth(_)) => Ok(value),
    }
}
